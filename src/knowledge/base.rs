//! The compiled knowledge base.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::study::{LeftOut, Parameter, Source, Study};
use super::terms::Term;
use crate::domain::{AgeYears, Mechanism, Origin, Sex};

/// An immutable, checked knowledge base. Conditions, findings and risk factors are named by their index.
#[derive(Debug, Clone)]
pub struct KnowledgeBase {
    /// The model card.
    pub card: ModelCard,
    /// SHA-256 of all files, as 64 hexadecimal digits.
    pub digest: String,
    /// Conditions, in the order of the file.
    pub conditions: Vec<Condition>,
    /// Settings, in the order of the file.
    pub settings: Vec<Setting>,
    /// Pairs that go together given heel pain.
    pub associations: Vec<Association>,
    /// Groups of findings that measure the same thing.
    pub clusters: Vec<Cluster>,
    /// Findings, ordered by id; `heel_pain` is not among them.
    pub findings: Vec<Finding>,
    /// The presenting complaint: its links hold one entry for every condition, in their order; it has no leak.
    pub complaint: Finding,
    /// Risk factors, ordered by id.
    pub risk_factors: Vec<RiskFactor>,
    /// Publications, ordered by id.
    pub sources: Vec<Source>,
    /// How many pooled figures are expert judgements.
    pub judged_figures: usize,
    /// Published figures that are not used, in the order of the files.
    pub left_out: Vec<LeftOut>,
    /// What each id that a caller may send stands for.
    pub terms: BTreeMap<String, Term>,
}

/// What the model is for and where its limits are, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Version of the content.
    pub version: String,
    /// Title.
    pub title: String,
    /// Intended use.
    pub intended_use: String,
    /// Intended users.
    pub intended_users: String,
    /// What it must not be used for.
    pub out_of_scope: Vec<String>,
    /// Known limits.
    pub limits: Vec<String>,
    /// What else a buyer asks for; empty in knowledge bases from before there were any.
    #[serde(default, rename = "attribute")]
    pub attributes: Vec<Attribute>,
}

/// One thing that a buyer must know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Id.
    pub id: String,
    /// What is to be said.
    pub text: String,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// Origin.
    pub origin: Origin,
    /// Mechanism.
    pub mechanism: Mechanism,
    /// What it is and how it reaches the heel.
    pub description: String,
    /// Codes that are sure.
    pub codes: Vec<Code>,
}

/// A code of a terminology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// FHIR URI of the coding system.
    pub system: &'static str,
    /// The code.
    pub code: String,
}

/// A named prevalence profile; everything in it is given heel pain.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// Which patients it describes.
    pub description: String,
    /// Share of the heel pain that no modelled condition explains.
    pub unexplained: Parameter,
    /// Probability that conditions of two or more origins are present.
    pub coexistence: Parameter,
    /// One prevalence for each condition, in their order.
    pub prevalences: Vec<SettingPrevalence>,
}

/// A condition's prevalence in a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SettingPrevalence {
    /// The prevalence.
    pub value: Parameter,
    /// What it counts.
    pub of: PrevalenceOf,
}

/// What a prevalence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrevalenceOf {
    /// Patients who have the condition.
    Presence,
    /// Patients in whom the condition contributes to the heel pain.
    Cause,
}

/// Two conditions that go together, given heel pain.
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    /// Index of the condition the statement is about.
    pub condition: usize,
    /// Index of the condition it is conditional on.
    pub given: usize,
    /// How strongly.
    pub correlation: Correlation,
}

/// How strongly two conditions go together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Correlation {
    /// P(condition | given), given heel pain.
    Conditional(Parameter),
    /// Odds ratio of the pair, given heel pain.
    OddsRatio(Parameter),
}

/// A group of findings that measure the same thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// Within-group phi of the yes/no results, in [0, 1].
    pub rho: f64,
}

/// A symptom, history item, examination or investigation.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// How to ask for it or examine it.
    pub elicit: String,
    /// What counts as present.
    pub positive: String,
    /// Kind: symptom, history, examination or investigation.
    pub kind: &'static str,
    /// Effort of finding out.
    pub effort: Effort,
    /// Whether it belongs to a side of the body.
    pub has_side: bool,
    /// Codes that are sure.
    pub codes: Vec<Code>,
    /// Index of its cluster.
    pub cluster: Option<usize>,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Its measured form.
    pub measure: Option<Measure>,
    /// Leaks: the first for unknown age, the others for age bands. Empty for a finding that tells nothing.
    pub leaks: Vec<Leak>,
    /// Links, ordered by condition; for one condition the first is for unknown age, the others for age bands.
    pub links: Vec<Link>,
    /// For a composite its parts, each the indices of the findings that ask for it; else empty. A composite's leaks and links
    /// are for rising thresholds of the number of parts present.
    pub parts: Vec<Vec<usize>>,
    /// For a part, the index of its composite; its own leaks and links are shown and not used.
    pub part_of: Option<usize>,
}

impl Finding {
    /// Whether the finding changes any likelihood.
    #[must_use]
    pub fn is_informative(&self) -> bool {
        !self.links.is_empty() || self.part_of.is_some()
    }

    /// The leak that holds at an age; `None` for a finding that tells nothing.
    #[must_use]
    pub fn leak_at(&self, age: Option<AgeYears>) -> Option<&Leak> {
        in_band(&self.leaks, age, |leak| leak.age)
    }

    /// The links that hold at an age, one for each linked condition, ordered by condition.
    pub fn links_at(&self, age: Option<AgeYears>) -> impl Iterator<Item = &Link> {
        self.links
            .chunk_by(|a, b| a.condition == b.condition)
            .filter_map(move |group| in_band(group, age, |link| link.age))
    }
}

/// The entry whose band holds the age; else the first, which has no band.
fn in_band<T>(
    entries: &[T],
    age: Option<AgeYears>,
    band: impl Fn(&T) -> Option<(u32, u32)>,
) -> Option<&T> {
    let holds = |entry: &&T| {
        age.zip(band(entry)).is_some_and(|(age, (from, to))| (from..=to).contains(&age.get()))
    };
    entries.iter().find(holds).or(entries.first())
}

/// Effort of finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// A question.
    Asked,
    /// A test at the bedside.
    Bedside,
    /// A test that needs an instrument.
    Instrument,
    /// Imaging or laboratory.
    ImagingOrLaboratory,
}

impl Effort {
    /// All efforts, the least first.
    pub const ALL: [Self; 4] =
        [Self::Asked, Self::Bedside, Self::Instrument, Self::ImagingOrLaboratory];

    /// Id as in the knowledge base and on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Bedside => "bedside",
            Self::Instrument => "instrument",
            Self::ImagingOrLaboratory => "imaging_or_laboratory",
        }
    }
}

/// The measured form of a finding or risk factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Id to send with a quantity. Findings that share it share its unit and range.
    pub id: String,
    /// UCUM unit.
    pub unit: String,
    /// When the finding is present.
    pub present: Threshold,
    /// Smallest and largest value accepted, both included.
    pub range: (f64, f64),
}

/// When a measured finding is present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Below the value.
    Below(f64),
    /// At the value or below.
    AtMost(f64),
    /// At the value or above.
    AtLeast(f64),
    /// Above the value.
    Above(f64),
}

impl Threshold {
    /// Whether a measured value means present.
    #[must_use]
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::Below(threshold) => value < threshold,
            Self::AtMost(threshold) => value <= threshold,
            Self::AtLeast(threshold) => value >= threshold,
            Self::Above(threshold) => value > threshold,
        }
    }
}

/// Rate of a finding among heel-pain patients with none of its linked causes.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// Age band, both ends included; `None` for the first.
    pub age: Option<(u32, u32)>,
    /// For a composite, the number of parts from which on it is the rate.
    pub at_least: Option<u32>,
    /// The rate, as log odds.
    pub rate: Parameter,
    /// The studies it is pooled from.
    pub studies: Vec<Study>,
}

/// What a finding says about a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Index of the condition.
    pub condition: usize,
    /// Age band, both ends included; `None` for the first.
    pub age: Option<(u32, u32)>,
    /// For a composite, the number of parts from which on it is the chance.
    pub at_least: Option<u32>,
    /// Chance of the finding when the condition alone is present, as log odds.
    pub sensitivity: Parameter,
    /// The studies it is pooled from.
    pub studies: Vec<Study>,
}

/// What shifts a prior and is not produced by a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskFactor {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// How to ask for it.
    pub elicit: String,
    /// What counts as present.
    pub positive: String,
    /// Codes that are sure.
    pub codes: Vec<Code>,
    /// Effort of finding out.
    pub effort: Effort,
    /// Other ids.
    pub aliases: Vec<String>,
    /// Its measured form.
    pub measure: Option<Measure>,
    /// How it follows from the patient, for one that is not sent.
    pub derived: Option<Trigger>,
    /// Prevalence among heel-pain patients, as log odds.
    pub prevalence: Parameter,
    /// Effects, ordered by condition.
    pub effects: Vec<Effect>,
}

/// What makes a derived risk factor present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An age within the band, both ends included.
    Age(u32, u32),
    /// A sex.
    Sex(Sex),
}

/// Effect of a risk factor on a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Index of the condition.
    pub condition: usize,
    /// Odds ratio, as natural logarithm.
    pub odds_ratio: Parameter,
    /// The studies it is pooled from.
    pub studies: Vec<Study>,
}
