//! The vocabulary: what a case and an assessment are, in the words of the clinic and of probability.
//!
//! Knows nothing of files, the wire or the engine; the standard library only.

mod assessment;
mod case;
mod condition;
mod probability;

pub use assessment::{
    Assessment, Basis, ConditionEvidence, ConditionScore, Contribution, Notice, OriginScore, Unit,
};
pub use case::{AgeYears, Case, Complaint, Detail, Exposure, Observation, Sex, Side};
pub use condition::{Mechanism, Origin};
pub use probability::{CredibleLevel, Interval, expit, logit};
