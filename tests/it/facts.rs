//! What is stated of a patient, as the tests of the rules write it.

use std::path::Path;

use heel_origin::domain::Side;
use heel_origin::intake::{self, Choice, Draft, DraftFinding, Value};
use heel_origin::rules::{Atom, Facts};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support::RULES;

pub(crate) fn lines<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A value as the cases write it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Sent {
    YesNo(bool),
    Number(f64),
}

pub(crate) fn finding(id: &str, sent: Sent, side: Option<Side>) -> DraftFinding {
    let unit = |id| {
        let measure = |f: &&heel_origin::knowledge::Finding| {
            f.measure.as_ref().is_some_and(|measure| measure.id == id)
        };
        let of = RULES.knowledge.findings.iter().find(measure).expect(id);
        of.measure.clone().unwrap().unit
    };
    let value = match sent {
        Sent::YesNo(present) => Value::YesNo(present),
        Sent::Number(value) => Value::Quantity { value, unit: unit(id) },
    };
    let side = side.map_or(Choice::Unset, Choice::Known);
    DraftFinding { id: id.into(), value: Some(value), side }
}

pub(crate) fn draft(age_years: Option<u32>, findings: Vec<DraftFinding>) -> Draft {
    Draft { has_assessment: true, age_years, findings, ..Draft::default() }
}

pub(crate) fn facts(draft: &Draft) -> Facts {
    intake::case(draft, &RULES, 0).unwrap().facts
}

/// The same ids as yes/no findings.
pub(crate) fn told(findings: &[(&str, bool)]) -> Vec<DraftFinding> {
    findings.iter().map(|&(id, present)| finding(id, Sent::YesNo(present), None)).collect()
}

pub(crate) fn atom_id(atom: &Atom) -> String {
    match atom {
        Atom::Present(subject, side) => {
            let side = side.map(|side| if side == Side::Left { "@left" } else { "@right" });
            format!("{}{}", RULES.knowledge.id(*subject), side.unwrap_or_default())
        }
        Atom::Age(..) => "age".into(),
        Atom::Sex(_) => "sex".into(),
        Atom::Fired(flag) => RULES.red_flags[*flag].id.clone(),
    }
}
