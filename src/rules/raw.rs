//! The files' own shapes, as written by a curator, before any check of meaning.

use serde::Deserialize;
use toml::Spanned;

use super::red_flag::Urgency;
use crate::knowledge::{Checked, File, Located, Report, entries, tables};

/// All entries of all files.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) implications: Vec<Located<Implication>>,
    pub(super) red_flags: Vec<Located<RedFlag>>,
    pub(super) questions: Vec<Located<Question>>,
    pub(super) instruments: Vec<Located<Instrument>>,
    pub(super) contradictions: Vec<Located<Contradiction>>,
    pub(super) notices: Vec<Located<Remark>>,
    pub(super) separators: Vec<Located<Separator>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Implication {
    pub(super) means: Spanned<String>,
    pub(super) when: Spanned<String>,
    pub(super) note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedFlag {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) trigger: Spanned<String>,
    pub(super) urgency: Urgency,
    pub(super) action: String,
    pub(super) source: Spanned<String>,
    pub(super) checked: Checked,
    pub(super) note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) id: Spanned<String>,
    pub(super) ask: String,
    pub(super) answered: Spanned<String>,
    pub(super) signs: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instrument {
    pub(super) id: Spanned<String>,
    pub(super) label: String,
    pub(super) targets: Vec<Spanned<String>>,
    pub(super) pretest: Option<Spanned<f64>>,
    pub(super) applies: Option<Spanned<String>>,
    pub(super) validated: Option<Spanned<String>>,
    pub(super) cautions: Vec<String>,
    pub(super) licence_note: String,
    pub(super) source: Spanned<String>,
    #[serde(rename = "item")]
    pub(super) items: Vec<Item>,
    #[serde(rename = "reading")]
    pub(super) readings: Vec<Reading>,
    #[serde(rename = "accuracy")]
    pub(super) accuracy: Vec<Accuracy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) id: Spanned<String>,
    pub(super) definition: String,
    pub(super) levels: Vec<Level>,
    #[serde(default)]
    pub(super) otherwise: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Level {
    pub(super) when: Spanned<String>,
    pub(super) points: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    pub(super) id: Spanned<String>,
    /// Empty: all.
    #[serde(default)]
    pub(super) items: Vec<Spanned<String>>,
    pub(super) bands: Spanned<Vec<Band>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Band {
    pub(super) from: Option<f64>,
    pub(super) verdict: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accuracy {
    pub(super) of: String,
    pub(super) figures: String,
    #[serde(default)]
    pub(super) population: String,
    pub(super) checked: Checked,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contradiction {
    pub(super) when: Spanned<String>,
    pub(super) remedy: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remark {
    pub(super) code: String,
    pub(super) when: Spanned<String>,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Separator {
    pub(super) when: Spanned<String>,
    pub(super) ask: Vec<Spanned<String>>,
    pub(super) reason: String,
    /// Without one it follows from anatomy.
    pub(super) source: Option<Spanned<String>>,
}

/// Reads every entry of the rules' files. Each fault of syntax or shape goes into the report.
pub(super) fn read(files: &[File], report: &mut Report<'_>) -> Document {
    let mut document = Document::default();
    tables(files, true, report, |key, file, value, report| {
        match key {
            "implication" => entries(&mut document.implications, file, value, report),
            "red_flag" => entries(&mut document.red_flags, file, value, report),
            "question" => entries(&mut document.questions, file, value, report),
            "instrument" => entries(&mut document.instruments, file, value, report),
            "contradiction" => entries(&mut document.contradictions, file, value, report),
            "notice" => entries(&mut document.notices, file, value, report),
            "separator" => entries(&mut document.separators, file, value, report),
            _ => return false,
        }
        true
    });
    document
}
