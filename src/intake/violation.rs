//! What can be wrong with a draft: where, why, and what to do about it.

use std::fmt;

/// Where a violation is. Each door turns it into its own field path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// The assessment as a whole.
    Assessment,
    /// `assessment_id`.
    AssessmentId,
    /// `age_years` of the patient.
    Age,
    /// `sex` of the patient.
    Sex,
    /// The assessed side.
    Side,
    /// The list of findings.
    Findings,
    /// A finding, by its position in the caller's list.
    Finding(usize, FindingField),
    /// `setting`.
    Setting,
    /// `credible_level` of the options.
    CredibleLevel,
    /// `view` of the options.
    View,
    /// `consistency` of the options.
    Consistency,
    /// `max_suggestions` of the options.
    MaxSuggestions,
    /// `max_effort` of a request for suggestions.
    MaxEffort,
}

/// A field of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingField {
    /// Its id.
    Id,
    /// Its value as a whole.
    Value,
    /// The number of its quantity.
    QuantityValue,
    /// The unit of its quantity.
    QuantityUnit,
    /// Its side.
    Side,
}

/// Why a value is not accepted. Carries only what the knowledge base or this program says, never what the caller sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// A required part is missing.
    Missing,
    /// An id has a character or length that ids do not have.
    MalformedId,
    /// No finding or risk factor has this id; the nearest known ids.
    UnknownFinding {
        /// Nearest known ids, nearest first; may be empty.
        nearest: Vec<String>,
    },
    /// The id stands for something that follows from the patient's age or sex and is not sent.
    DerivedRiskFactor,
    /// The same finding on the same side stands earlier in the list.
    DuplicateFinding {
        /// Position of the earlier one.
        first: usize,
    },
    /// The same finding stands earlier in the list, under another id or on the other side, with the opposite value.
    ContradictingFinding {
        /// Position of the earlier one.
        first: usize,
    },
    /// Findings that cannot hold together, by a rule of the knowledge base.
    Contradiction {
        /// What is wrong and what to do about it.
        remedy: String,
    },
    /// A finding was sent without a value.
    MissingValue,
    /// A quantity was sent where present or absent is expected; the id of the measured form, where there is one.
    ExpectedYesNo {
        /// Id that takes a quantity.
        measured_id: Option<String>,
    },
    /// Present or absent was sent where a quantity is expected.
    ExpectedQuantity {
        /// Expected UCUM unit.
        unit: String,
        /// Id that takes present or absent.
        yes_no_id: String,
    },
    /// Another unit than the finding's.
    WrongUnit {
        /// Expected UCUM unit.
        expected: String,
    },
    /// NaN or infinite.
    NotFinite,
    /// Outside the accepted range, both ends included.
    OutOfRange {
        /// Smallest accepted value.
        minimum: f64,
        /// Largest accepted value.
        maximum: f64,
    },
    /// Outside the accepted range, both ends excluded.
    OutsideOpenRange {
        /// Lower end.
        lower: f64,
        /// Upper end.
        upper: f64,
    },
    /// An enum number that this version does not know, or one that is not meant for this field.
    UnknownEnumValue {
        /// Names that are accepted.
        accepted: &'static str,
    },
    /// No effort has this name; the known ones.
    UnknownEffort,
    /// No setting has this id; the known ones.
    UnknownSetting {
        /// Known settings.
        known: Vec<String>,
    },
    /// More findings than accepted.
    TooManyFindings {
        /// Most findings accepted.
        limit: usize,
    },
}

impl Reason {
    /// Machine-readable code, `UPPER_SNAKE_CASE`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::MalformedId => "MALFORMED_ID",
            Self::UnknownFinding { .. } => "UNKNOWN_FINDING",
            Self::DerivedRiskFactor => "DERIVED_RISK_FACTOR",
            Self::DuplicateFinding { .. } => "DUPLICATE_FINDING",
            Self::ContradictingFinding { .. } => "CONTRADICTING_FINDING",
            Self::Contradiction { .. } => "CONTRADICTION",
            Self::MissingValue => "MISSING_VALUE",
            Self::ExpectedYesNo { .. } => "EXPECTED_YES_NO",
            Self::ExpectedQuantity { .. } => "EXPECTED_QUANTITY",
            Self::WrongUnit { .. } => "WRONG_UNIT",
            Self::NotFinite => "NOT_FINITE",
            Self::OutOfRange { .. } | Self::OutsideOpenRange { .. } => "OUT_OF_RANGE",
            Self::UnknownEnumValue { .. } => "UNKNOWN_ENUM_VALUE",
            Self::UnknownEffort => "UNKNOWN_EFFORT",
            Self::UnknownSetting { .. } => "UNKNOWN_SETTING",
            Self::TooManyFindings { .. } => "TOO_MANY_FINDINGS",
        }
    }
}

/// What is wrong and what to do about it, as one English sentence.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

impl Reason {
    fn sentence(&self) -> String {
        match self {
            Self::Missing => "required and missing; send an assessment, which may be empty".into(),
            Self::MalformedId => "must be 1 to 64 characters of [A-Za-z0-9._-]".into(),
            Self::UnknownFinding { nearest } => unknown_finding(nearest),
            Self::DerivedRiskFactor => {
                "follows from the patient's age and sex; send those instead".into()
            }
            Self::DuplicateFinding { first } => {
                format!("already sent for this side as findings[{first}]; send it once")
            }
            Self::ContradictingFinding { first } => format!(
                "contradicts findings[{first}], which is the same finding; send one or, if the sides differ, name the assessed side"
            ),
            Self::Contradiction { remedy } => remedy.clone(),
            Self::MissingValue => "has no value; send `present` or `quantity`".into(),
            Self::ExpectedYesNo { measured_id } => expected_yes_no(measured_id.as_deref()),
            Self::ExpectedQuantity { unit, yes_no_id } => {
                format!("takes a `quantity` in {unit}; send present or absent as {yes_no_id}")
            }
            Self::WrongUnit { expected } => format!("the unit must be {expected} (UCUM)"),
            Self::NotFinite => "must be a finite number".into(),
            Self::OutOfRange { minimum, maximum } => format!("must be from {minimum} to {maximum}"),
            Self::OutsideOpenRange { lower, upper } => {
                format!("must be strictly between {lower} and {upper}")
            }
            Self::UnknownEnumValue { accepted } => format!("must be one of {accepted}"),
            Self::UnknownEffort => {
                "must be empty or one of asked, bedside, instrument, imaging_or_laboratory".into()
            }
            Self::UnknownSetting { known } => {
                format!("no setting has this id; known are {}", known.join(", "))
            }
            Self::TooManyFindings { limit } => format!("at most {limit} findings are accepted"),
        }
    }
}

fn unknown_finding(nearest: &[String]) -> String {
    match nearest {
        [] => "no finding has this id; ListFindings names all".into(),
        _ => format!("no finding has this id; did you mean {}?", nearest.join(", ")),
    }
}

fn expected_yes_no(measured_id: Option<&str>) -> String {
    let remedy = measured_id.map(|id| format!("; send a quantity as {id}")).unwrap_or_default();
    format!("takes `present` (true or false), not a quantity{remedy}")
}

/// One thing that is wrong with a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Where.
    pub location: Location,
    /// Why.
    pub reason: Reason,
}
