//! From the files' entries to a [`KnowledgeBase`]: resolves ids, pools studies, reports every fault.

mod codes;
mod composites;
mod findings;
mod settings;
mod studies;
mod terms;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::base::{Cluster, Code, Condition, KnowledgeBase, LeftOut, ModelCard};
use super::check::{Faults, Report};
use super::embedded::File;
use super::raw::{self, Document, Located};
use super::study::Source;
use crate::domain::{Mechanism, Origin};

/// Most conditions a knowledge base may hold: sets of conditions are numbered by the bits of a 32-bit word.
const MOST_CONDITIONS: usize = 30;

/// What is wrong with an id that is not plain.
const PLAIN_ID: &str = "an id has 1 to 64 characters of a-z, 0-9, `_`, `.` and `-`";

/// Positions by id.
type Index = BTreeMap<String, usize>;

/// Reads, checks and compiles a knowledge base.
///
/// # Errors
/// Every fault of syntax, shape and meaning, with its file and line.
pub fn load(files: &[File]) -> Result<KnowledgeBase, Faults> {
    let mut report = Report::new(files);
    let document = raw::read(files, &mut report);
    let base = Compiler::new(&document, &mut report).compile(&document, digest(files));
    match base {
        Some(base) if report.is_clean() => Ok(base),
        _ => Err(report.into_faults()),
    }
}

/// SHA-256 over the names and texts of all files, each closed by a zero byte, in the order given.
fn digest(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|file| [&file.name, &file.text]) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// What every entry is resolved against.
#[derive(Debug)]
struct Compiler<'r, 'f> {
    report: &'r mut Report<'f>,
    conditions: Index,
    clusters: Index,
    sources: Index,
}

impl<'r, 'f> Compiler<'r, 'f> {
    fn new(document: &Document, report: &'r mut Report<'f>) -> Self {
        let conditions = index(&document.conditions, |entry| &entry.id, report);
        let clusters = index(&document.clusters, |entry| &entry.id, report);
        let listed = index(&document.sources, |entry| &entry.id, report);
        // Sources are kept ordered by id, whatever their order in the file.
        let sources = listed.into_keys().enumerate().map(|(position, id)| (id, position)).collect();
        Self { report, conditions, clusters, sources }
    }

    fn compile(mut self, document: &Document, digest: String) -> Option<KnowledgeBase> {
        if document.conditions.len() > MOST_CONDITIONS {
            self.report.overall(format!("more than {MOST_CONDITIONS} conditions"));
        }
        let card = self.card(document);
        let conditions =
            document.conditions.iter().map(|located| self.condition_entry(located)).collect();
        let settings = self.settings(&document.settings);
        let associations = self.associations(&document.associations);
        let clusters = self.clusters(&document.clusters);
        let (findings, complaint) = self.findings(&document.findings);
        let risk_factors = self.risk_factors(&document.risk_factors);
        let left_out = document.left_out.iter().map(|located| self.left_out(located)).collect();
        let terms = terms::of(document, &findings, &risk_factors, self.report);
        Some(KnowledgeBase {
            card: card?,
            digest,
            conditions,
            settings,
            associations,
            clusters,
            findings,
            complaint: complaint?,
            risk_factors,
            sources: sources(&document.sources),
            left_out,
            terms,
        })
    }

    fn card(&mut self, document: &Document) -> Option<ModelCard> {
        let [located] = document.models.as_slice() else {
            let count = document.models.len();
            self.report.overall(format!("expected one [model] table, found {count}"));
            return None;
        };
        let model = &located.entry;
        self.check_id(located.file, &model.version);
        Some(ModelCard {
            version: model.version.get_ref().clone(),
            title: model.title.clone(),
            intended_use: model.intended_use.clone(),
            intended_users: model.intended_users.clone(),
            out_of_scope: model.out_of_scope.clone(),
            limits: model.limits.clone(),
        })
    }

    fn clusters(&mut self, raw: &[Located<raw::Cluster>]) -> Vec<Cluster> {
        let mut clusters = Vec::new();
        for Located { file, entry, .. } in raw {
            let rho = *entry.rho.get_ref();
            if !(0.0..=1.0).contains(&rho) {
                self.fault(*file, &entry.rho, "rho must be from 0 to 1");
            }
            clusters.push(Cluster {
                id: entry.id.get_ref().clone(),
                label: entry.label.clone(),
                rho,
            });
        }
        clusters
    }

    fn condition_entry(&mut self, located: &Located<raw::Condition>) -> Condition {
        let Located { file, entry, .. } = located;
        let who = entry.icd10.as_ref().map(|code| ("http://hl7.org/fhir/sid/icd-10", code));
        let clinical =
            entry.icd10cm.as_ref().map(|code| ("http://hl7.org/fhir/sid/icd-10-cm", code));
        let codes = who.into_iter().chain(clinical);
        let codes = codes.map(|(system, code)| Code { system, code: code.clone() });
        let others = self.codes(*file, &entry.codes);
        Condition {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            origin: match entry.origin {
                raw::Origin::Spinal => Origin::Spinal,
                raw::Origin::Pelvic => Origin::Pelvic,
                raw::Origin::PeripheralNerve => Origin::PeripheralNerve,
                raw::Origin::Local => Origin::Local,
            },
            mechanism: match entry.mechanism {
                raw::Mechanism::Root => Mechanism::Root,
                raw::Mechanism::Entrapment => Mechanism::Entrapment,
                raw::Mechanism::Referred => Mechanism::Referred,
                raw::Mechanism::Local => Mechanism::Local,
                raw::Mechanism::SystemicNeuropathy => Mechanism::SystemicNeuropathy,
                raw::Mechanism::Inflammatory => Mechanism::Inflammatory,
                raw::Mechanism::Degenerative => Mechanism::Degenerative,
            },
            description: entry.description.clone(),
            codes: codes.chain(others).collect(),
        }
    }

    /// The index of the condition with this id.
    fn condition(&mut self, file: usize, id: &Spanned<String>) -> Option<usize> {
        let found = self.conditions.get(id.get_ref()).copied();
        if found.is_none() {
            self.fault(file, id, &format!("no condition has the id `{}`", id.get_ref()));
        }
        found
    }

    /// The index of the source with this id.
    fn source(&mut self, file: usize, id: &Spanned<String>) -> Option<usize> {
        let found = self.sources.get(id.get_ref()).copied();
        if found.is_none() {
            self.fault(file, id, &format!("no source has the id `{}`", id.get_ref()));
        }
        found
    }

    fn left_out(&mut self, located: &Located<raw::LeftOut>) -> LeftOut {
        let Located { file, entry, .. } = located;
        LeftOut {
            subject: entry.subject.clone(),
            figure: entry.figure.clone(),
            source: entry.source.as_ref().and_then(|id| self.source(*file, id)),
            condition: entry.condition.as_ref().and_then(|id| self.condition(*file, id)),
            reason: entry.reason.clone(),
        }
    }

    /// Ids that callers send or read are short and plain.
    fn check_id(&mut self, file: usize, id: &Spanned<String>) {
        if !is_plain_id(id.get_ref()) {
            self.fault(file, id, PLAIN_ID);
        }
    }

    fn fault<T>(&mut self, file: usize, at: &Spanned<T>, reason: &str) {
        self.report.at(file, at.span().start, reason.to_owned());
    }
}

fn is_plain_id(id: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// Positions by id; an id that stands twice is a fault.
fn index<T>(
    entries: &[Located<T>],
    id: impl Fn(&T) -> &Spanned<String>,
    report: &mut Report<'_>,
) -> Index {
    let mut index = Index::new();
    for (position, located) in entries.iter().enumerate() {
        let id = id(&located.entry);
        if index.insert(id.get_ref().clone(), position).is_some() {
            report.at(located.file, id.span().start, format!("`{}` stands twice", id.get_ref()));
        }
        if !is_plain_id(id.get_ref()) {
            report.at(located.file, id.span().start, PLAIN_ID.to_owned());
        }
    }
    index
}

fn sources(raw: &[Located<raw::Source>]) -> Vec<Source> {
    let mut sources: Vec<Source> = raw.iter().map(|located| source(&located.entry)).collect();
    sources.sort_by(|a, b| a.id.cmp(&b.id));
    sources
}

fn source(entry: &raw::Source) -> Source {
    let year = entry.year.map(|year| format!("{year}")).unwrap_or_default();
    let prefixed = |prefix: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("{prefix}{text}") }
    };
    let locator = [prefixed("doi:", &entry.doi), prefixed("PMID ", &entry.pmid), entry.url.clone()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let parts = [entry.authors.clone(), entry.title.clone(), entry.journal.clone(), year, locator];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Source { id: entry.id.get_ref().clone(), reference: parts.join(". ") }
}
