//! The files' own shapes, as written by a curator, before any check of meaning.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::base::{Effort, ModelCard, PrevalenceOf};
use super::check::Report;
use super::embedded::File;
use super::study::Source;
use crate::domain;

/// All entries of all files.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) models: Vec<Located<ModelCard>>,
    pub(super) conditions: Vec<Located<Condition>>,
    pub(super) settings: Vec<Located<Setting>>,
    pub(super) associations: Vec<Located<Association>>,
    pub(super) clusters: Vec<Located<Cluster>>,
    pub(super) risk_factors: Vec<Located<RiskFactor>>,
    pub(super) findings: Vec<Located<Finding>>,
    pub(super) sources: Vec<Located<Source>>,
    pub(super) left_out: Vec<Located<LeftOut>>,
}

/// An entry and where it stands.
#[derive(Debug)]
pub(crate) struct Located<T> {
    /// Index of the file.
    pub(crate) file: usize,
    /// Byte offset of the entry.
    pub(crate) offset: usize,
    /// The entry.
    pub(crate) entry: T,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    #[serde(with = "Origin")]
    pub(super) origin: domain::Origin,
    #[serde(with = "Mechanism")]
    pub(super) mechanism: domain::Mechanism,
    pub(super) description: String,
    pub(super) icd10: Option<String>,
    pub(super) icd10cm: Option<String>,
    #[serde(default)]
    pub(super) codes: Codes,
}

/// Codes of other terminologies than ICD-10.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Codes {
    pub(super) snomed: Option<String>,
    pub(super) loinc: Option<String>,
}

/// How the domain's type is written: the domain itself knows no files.
#[derive(Deserialize)]
#[serde(remote = "domain::Origin", rename_all = "snake_case")]
enum Origin {
    Spinal,
    Pelvic,
    PeripheralNerve,
    Local,
}

/// How the domain's type is written: the domain itself knows no files.
#[derive(Deserialize)]
#[serde(remote = "domain::Mechanism", rename_all = "snake_case")]
enum Mechanism {
    Root,
    Entrapment,
    Referred,
    Local,
    SystemicNeuropathy,
    Inflammatory,
    Degenerative,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) description: String,
    pub(super) unexplained: Spanned<Vec<Spanned<Study>>>,
    pub(super) coexistence: Spanned<Vec<Spanned<Study>>>,
    pub(super) prevalence: Vec<Prevalence>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prevalence {
    pub(super) condition: Spanned<String>,
    pub(super) of: PrevalenceOf,
    pub(super) studies: Spanned<Vec<Spanned<Study>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Association {
    pub(super) condition: Spanned<String>,
    pub(super) given: Spanned<String>,
    pub(super) probability: Option<Spanned<Vec<Spanned<Study>>>>,
    pub(super) odds_ratio: Option<Spanned<Vec<Spanned<Study>>>>,
    #[serde(rename = "note")]
    pub(super) _note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) rho: Spanned<f64>,
    #[serde(rename = "note")]
    pub(super) _note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RiskFactor {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) elicit: String,
    pub(super) positive: String,
    pub(super) effort: Effort,
    #[serde(default)]
    pub(super) codes: Codes,
    #[serde(default)]
    pub(super) aliases: Vec<Spanned<String>>,
    pub(super) measure: Option<Spanned<Measure>>,
    pub(super) derived: Option<Spanned<Derived>>,
    pub(super) prevalence: Spanned<Vec<Spanned<Study>>>,
    #[serde(default, rename = "effect")]
    pub(super) effects: Vec<Linked>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derived {
    pub(super) age: Option<(u32, u32)>,
    pub(super) sex: Option<Sex>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sex {
    Female,
    Male,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) elicit: String,
    pub(super) positive: String,
    pub(super) kind: Kind,
    pub(super) effort: Effort,
    pub(super) laterality: Laterality,
    #[serde(default)]
    pub(super) codes: Codes,
    pub(super) cluster: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) aliases: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) general: bool,
    #[serde(default)]
    pub(super) background: Vec<Spanned<String>>,
    pub(super) measure: Option<Spanned<Measure>>,
    #[serde(default)]
    pub(super) parts: Vec<Vec<Spanned<String>>>,
    #[serde(default, rename = "leak")]
    pub(super) leaks: Vec<Leak>,
    #[serde(default, rename = "link")]
    pub(super) links: Vec<Linked>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Symptom,
    History,
    Examination,
    Investigation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Laterality {
    Sided,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measure {
    pub(super) id: Spanned<String>,
    pub(super) unit: String,
    pub(super) present: Comparison,
    pub(super) threshold: f64,
    pub(super) range: (f64, f64),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Comparison {
    Below,
    AtMost,
    AtLeast,
    Above,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leak {
    pub(super) age: Option<Spanned<(u32, u32)>>,
    pub(super) at_least: Option<Spanned<u32>>,
    pub(super) studies: Spanned<Vec<Spanned<Study>>>,
}

/// A link of a finding, or an effect of a risk factor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Linked {
    pub(super) condition: Spanned<String>,
    pub(super) age: Option<Spanned<(u32, u32)>>,
    pub(super) at_least: Option<Spanned<u32>>,
    pub(super) studies: Spanned<Vec<Spanned<Study>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Study {
    pub(super) source: Option<Spanned<String>>,
    pub(super) count: Option<(u32, u32)>,
    pub(super) value: Option<f64>,
    pub(super) odds_ratio: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) n: Option<u32>,
    pub(super) quality: Quality,
    pub(super) checked: Option<Checked>,
    #[serde(default)]
    pub(super) heel_pain: bool,
    #[serde(default)]
    pub(super) population: String,
    #[serde(default)]
    pub(super) note: String,
    pub(super) excluded: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Quality {
    High,
    Moderate,
    Low,
    Expert,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Checked {
    Read,
    Recalled,
}

impl Checked {
    /// Id as in the files.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Recalled => "recalled",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    pub(super) subject: String,
    pub(super) figure: String,
    pub(super) source: Option<Spanned<String>>,
    pub(super) condition: Option<Spanned<String>>,
    pub(super) reason: String,
}

/// Folder of the rules that stand beside the network.
const RULES: &str = "rules/";

/// Reads every entry of every file but those of the rules. Each syntax fault, and the first fault of shape of each entry, goes
/// into the report.
pub(super) fn read(files: &[File], report: &mut Report<'_>) -> Document {
    let mut document = Document::default();
    tables(files, false, report, |key, file, value, report| {
        match key {
            "model" => one(&mut document.models, file, value, report),
            "condition" => entries(&mut document.conditions, file, value, report),
            "setting" => entries(&mut document.settings, file, value, report),
            "association" => entries(&mut document.associations, file, value, report),
            "cluster" => entries(&mut document.clusters, file, value, report),
            "risk_factor" => entries(&mut document.risk_factors, file, value, report),
            "finding" => entries(&mut document.findings, file, value, report),
            "source" => entries(&mut document.sources, file, value, report),
            "left_out" => entries(&mut document.left_out, file, value, report),
            _ => return false,
        }
        true
    });
    document
}

/// Hands over every table of the files of the rules, or of the others. `take` says whether it knows the table's name.
pub(crate) fn tables(
    files: &[File],
    of_rules: bool,
    report: &mut Report<'_>,
    mut take: impl FnMut(&str, usize, Spanned<DeValue<'_>>, &mut Report<'_>) -> bool,
) {
    let wanted = files.iter().enumerate().filter(|(_, f)| f.name.starts_with(RULES) == of_rules);
    for (file, content) in wanted {
        let (table, errors) = DeTable::parse_recoverable(&content.text);
        for error in &errors {
            report.error(file, error);
        }
        for (key, value) in table.into_inner() {
            let (name, offset) = (key.get_ref().as_ref(), key.span().start);
            if !take(name, file, value, report) {
                report.at(file, offset, format!("unknown table `{name}`"));
            }
        }
    }
}

pub(crate) fn entries<T: DeserializeOwned>(
    into: &mut Vec<Located<T>>,
    file: usize,
    value: Spanned<DeValue<'_>>,
    report: &mut Report<'_>,
) {
    let offset = value.span().start;
    if let DeValue::Array(array) = value.into_inner() {
        for element in array {
            one(into, file, element, report);
        }
    } else {
        report.at(file, offset, "expected an array of tables, written [[...]]".to_owned());
    }
}

fn one<T: DeserializeOwned>(
    into: &mut Vec<Located<T>>,
    file: usize,
    value: Spanned<DeValue<'_>>,
    report: &mut Report<'_>,
) {
    let offset = value.span().start;
    match T::deserialize(ValueDeserializer::from(value)) {
        Ok(entry) => into.push(Located { file, offset, entry }),
        Err(error) => report.error_near(file, offset, &error),
    }
}
