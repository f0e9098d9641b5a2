//! The one validator: turns a caller's draft into a [`Case`](crate::domain::Case), or says everything that is wrong with it.
//!
//! A draft carries what came over the wire, unchecked. Every door (gRPC, the command line) maps its own shapes to a
//! [`Draft`] and a [`Location`] to its own field paths; none has a validator of its own.

mod draft;
mod findings;
mod nearest;
mod validate;
mod violation;

pub use draft::{Choice, Consistency, Draft, DraftFinding, Value, View};
pub(crate) use validate::is_plain_id;
pub use validate::{Accepted, Rejected, case};
pub use violation::{FindingField, Location, Reason, Violation};
