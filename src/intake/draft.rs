//! What a caller sent, unchecked.

use std::fmt;

use crate::domain::{Sex, Side};

/// An enum value as it came over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice<T> {
    /// Not told.
    #[default]
    Unset,
    /// A known value.
    Known(T),
    /// A number that this version does not know.
    Unknown(i32),
}

/// How much to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Origins, conditions and notices.
    Basic,
    /// Also the contributions.
    Full,
}

/// What to do with findings that contradict one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Answer and name them in a notice.
    Lenient,
    /// Refuse.
    Strict,
}

/// The value of a finding.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Present or absent.
    YesNo(bool),
    /// A measured value.
    Quantity {
        /// The number.
        value: f64,
        /// The unit as sent.
        unit: String,
    },
}

/// A finding as sent.
#[derive(Clone, PartialEq)]
pub struct DraftFinding {
    /// Id as sent.
    pub id: String,
    /// Value; `None` when none was sent.
    pub value: Option<Value>,
    /// Side.
    pub side: Choice<Side>,
}

/// A request as sent.
#[derive(Clone, PartialEq, Default)]
pub struct Draft {
    /// Whether an assessment was sent at all.
    pub has_assessment: bool,
    /// The caller's id of the assessment; may be empty.
    pub assessment_id: String,
    /// Age.
    pub age_years: Option<u32>,
    /// Sex.
    pub sex: Choice<Sex>,
    /// The assessed side.
    pub side: Choice<Side>,
    /// Findings in the caller's order.
    pub findings: Vec<DraftFinding>,
    /// Setting; empty for the default.
    pub setting: String,
    /// Credible level.
    pub credible_level: Option<f64>,
    /// How much to answer.
    pub view: Choice<View>,
    /// Most findings to suggest.
    pub max_suggestions: Option<u32>,
    /// Greatest effort to suggest; empty for the default.
    pub max_effort: String,
    /// Whether to answer for a patient outside the scope.
    pub accept_out_of_scope: bool,
    /// What to do with findings that contradict one another.
    pub consistency: Choice<Consistency>,
}

// A draft is a patient: its values must not reach a log by way of `{:?}`.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("findings", &self.findings.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for DraftFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DraftFinding")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}
