//! Cases with a known cause, one JSON object a line.
//!
//! `findings` maps ids to `present` or `absent`; what is not there was not assessed. `context` maps risk factors to true or
//! false, and `bmi` to a number. `condition`, `origin` and `second_condition` are the confirmed diagnosis, `incidental_condition` one that is there
//! and does not cause the complaint; `constructed` marks a case written by hand instead of published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::{Case, Origin, Sex};
use crate::intake::{self, Choice, Draft, DraftFinding, Value};
use crate::knowledge::KnowledgeBase;
use crate::rules::Rules;

/// Published cases come from specialists' reports.
const PUBLISHED_SETTING: &str = "specialist_referral";
/// Constructed cases are patients of a foot clinic.
const CONSTRUCTED_SETTING: &str = "podiatry";

/// The cases of one file.
#[derive(Debug)]
pub(super) struct Cohort {
    /// Name of the file.
    pub(super) name: String,
    /// Its cases, in the order of the file.
    pub(super) cases: Vec<Labelled>,
}

/// A case and its truth.
#[derive(Debug)]
pub(super) struct Labelled {
    /// Id in the file.
    pub(super) id: String,
    /// The case.
    pub(super) case: Case,
    /// Number of recognised findings, risk factors apart.
    pub(super) findings: usize,
    /// Whether it was written by hand.
    pub(super) constructed: bool,
    /// The true cause.
    pub(super) truth: Truth,
    /// A condition that is there and does not cause the complaint.
    pub(super) incidental: Option<usize>,
}

/// The true conditions and their origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    /// Indices of the conditions that explain the complaint, the main one first.
    pub(super) conditions: Vec<usize>,
    /// Whether each origin is true, in the order of [`Origin::ALL`].
    pub(super) origins: [bool; 4],
}

impl Truth {
    pub(super) fn new(knowledge: &KnowledgeBase, conditions: Vec<usize>) -> Self {
        let holds = |origin: Origin| {
            conditions.iter().any(|&condition| knowledge.conditions[condition].origin == origin)
        };
        Self { origins: Origin::ALL.map(holds), conditions }
    }
}

/// Why a file of cases cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CohortError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line is no case.
    #[error("{}, line {line}: {reason}", file.display())]
    Faulty {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    condition: String,
    second_condition: Option<String>,
    incidental_condition: Option<String>,
    age: Option<u32>,
    sex: Option<String>,
    findings: BTreeMap<String, State>,
    context: BTreeMap<String, serde_json::Value>,
    heel_pain: bool,
    #[serde(default)]
    constructed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Present,
    Absent,
}

/// Reads a file of cases.
pub(super) fn read(rules: &Rules, file: &Path) -> Result<Cohort, CohortError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CohortError::Unreadable { file: file.to_owned(), error })?;
    let case = |(number, line): (usize, &str)| {
        labelled(rules, line).map_err(|reason| CohortError::Faulty {
            file: file.to_owned(),
            line: number + 1,
            reason,
        })
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    Ok(Cohort { name, cases: lines.map(case).collect::<Result<_, _>>()? })
}

fn labelled(rules: &Rules, line: &str) -> Result<Labelled, String> {
    let knowledge = &*rules.knowledge;
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let index = |id: &String| {
        let conditions = &knowledge.conditions;
        let position = conditions.iter().position(|condition| condition.id == *id);
        position.ok_or_else(|| format!("no condition has the id {id}"))
    };
    let causes = [Some(&line.condition), line.second_condition.as_ref()];
    let conditions = causes.into_iter().flatten().map(index).collect::<Result<_, _>>()?;
    let accepted = intake::case(&draft(&line)?, rules, 0).map_err(|rejected| match rejected {
        intake::Rejected::Invalid(violations) => {
            let reasons = violations.iter().map(|violation| violation.reason.to_string());
            reasons.collect::<Vec<_>>().join("; ")
        }
        intake::Rejected::OutOfScope => "out of scope".to_owned(),
    })?;
    Ok(Labelled {
        findings: line.findings.len(),
        constructed: line.constructed,
        incidental: line.incidental_condition.as_ref().map(index).transpose()?,
        truth: Truth::new(knowledge, conditions),
        case: accepted.case,
        id: line.id,
    })
}

fn draft(line: &Line) -> Result<Draft, String> {
    let finding = |id: &str, value: Value| DraftFinding {
        id: id.to_owned(),
        value: Some(value),
        side: Choice::Unset,
    };
    let mut sent: BTreeMap<&str, Value> = BTreeMap::new();
    for (id, value) in &line.context {
        match (id.as_str(), value) {
            ("bmi", serde_json::Value::Number(number)) => {
                let value = number.as_f64().unwrap_or(f64::NAN);
                sent.insert("body_mass_index", Value::Quantity { value, unit: "kg/m2".to_owned() });
            }
            (id, serde_json::Value::Bool(present)) => {
                sent.insert(id, Value::YesNo(*present));
            }
            (id, _) => return Err(format!("context {id} must be true or false")),
        }
    }
    for (id, state) in &line.findings {
        sent.insert(id, Value::YesNo(*state == State::Present));
    }
    sent.insert("heel_pain", Value::YesNo(line.heel_pain));
    let setting = if line.constructed { CONSTRUCTED_SETTING } else { PUBLISHED_SETTING };
    Ok(Draft {
        has_assessment: true,
        age_years: line.age,
        sex: match line.sex.as_deref() {
            Some("female") => Choice::Known(Sex::Female),
            Some("male") => Choice::Known(Sex::Male),
            _ => Choice::Unset,
        },
        findings: sent.into_iter().map(|(id, value)| finding(id, value)).collect(),
        setting: setting.to_owned(),
        accept_out_of_scope: true,
        ..Draft::default()
    })
}
