//! A validated case: what the engine may be asked.

use std::fmt;

use super::CredibleLevel;

/// Age in completed years, 1 to 120.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgeYears(u32);

impl AgeYears {
    /// Lowest and highest age accepted, both included.
    pub const RANGE: (u32, u32) = (1, 120);

    /// The age, or `None` outside [`Self::RANGE`].
    #[must_use]
    pub const fn new(years: u32) -> Option<Self> {
        if years >= Self::RANGE.0 && years <= Self::RANGE.1 { Some(Self(years)) } else { None }
    }

    /// The age as a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Sex as far as it shifts prevalences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Side of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both, for findings only.
    Both,
}

/// The presenting complaint, heel pain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// Present, as the caller said or as is assumed when nothing is said.
    Present,
    /// Sent as absent: the patient is outside the purpose.
    Absent,
}

/// One finding that was assessed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Index of the finding in the knowledge base.
    pub finding: usize,
    /// Present, or looked for and absent.
    pub present: bool,
}

/// One risk factor that was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// Index of the risk factor in the knowledge base.
    pub risk_factor: usize,
    /// Present, or absent.
    pub present: bool,
}

/// How much of an assessment to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Origins and conditions with their intervals.
    Basic,
    /// Also the contributions.
    Full,
}

/// A case: every index is valid for one knowledge base, and no finding or risk factor stands in it twice.
#[derive(Clone, PartialEq)]
pub struct Case {
    /// Index of the setting.
    pub setting: usize,
    /// Whether there is heel pain.
    pub complaint: Complaint,
    /// Age, where known.
    pub age: Option<AgeYears>,
    /// Findings assessed, in the order of the knowledge base.
    pub observations: Vec<Observation>,
    /// Risk factors asked for, in the order of the knowledge base.
    pub exposures: Vec<Exposure>,
    /// Mass of the credible intervals.
    pub level: CredibleLevel,
    /// How much to compute.
    pub detail: Detail,
}

// A case is a patient: its values must not reach a log by way of `{:?}`.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("observations", &self.observations.len())
            .field("exposures", &self.exposures.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observation")
    }
}

impl fmt::Debug for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exposure")
    }
}
