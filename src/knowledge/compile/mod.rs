//! From the files' entries to a [`KnowledgeBase`]: resolves ids, pools studies, reports every fault.

mod composites;
mod findings;
mod settings;
mod studies;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::base::{Attribute, Cluster, Code, Condition, KnowledgeBase, ModelCard};
use super::check::{Faults, Report};
use super::embedded::File;
use super::raw::{self, Document, Located};
use super::study::{LeftOut, Source};

/// Most conditions a knowledge base may hold: sets of conditions are numbered by the bits of a 32-bit word.
const MOST_CONDITIONS: usize = 30;

/// What is wrong with an id that is not plain.
const PLAIN_ID: &str = "an id has 1 to 64 characters of a-z, 0-9, `_`, `.` and `-`";

/// What a card says beside its own fields.
const ATTRIBUTES: &str = "developer licence funding released revised population role inputs uses_age uses_sex uses_race \
    uses_ethnicity uses_language uses_sexual_orientation uses_gender_identity uses_social_determinants output evidence \
    cautions risks validation performance fairness monitoring updates fault_reports";

/// Positions by id.
type Index = BTreeMap<String, usize>;

/// Reads, checks and compiles a knowledge base.
///
/// # Errors
/// Every fault of syntax, shape and meaning, with its file and line.
pub fn load(files: &[File]) -> Result<KnowledgeBase, Faults> {
    let mut report = Report::new(files);
    match compile(files, &mut report) {
        Some(base) if report.is_clean() => Ok(base),
        _ => Err(report.into_faults()),
    }
}

/// The knowledge base, in which faulty entries may be missing, and every fault in the report.
pub(crate) fn compile(files: &[File], report: &mut Report<'_>) -> Option<KnowledgeBase> {
    let document = raw::read(files, report);
    Compiler::new(&document, report).compile(&document, digest(files))
}

/// SHA-256 over the names and texts of all files, each closed by a zero byte, in the order given.
fn digest(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|file| [&file.name, &file.text]) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    format!("{:x}", Bytes::copy_from_slice(&hash.finalize()))
}

/// What every entry is resolved against.
#[derive(Debug)]
struct Compiler<'r, 'f> {
    report: &'r mut Report<'f>,
    conditions: Index,
    clusters: Index,
    /// Ordered by id.
    sources: Vec<Source>,
    judged_figures: usize,
}

impl<'r, 'f> Compiler<'r, 'f> {
    fn new(document: &Document, report: &'r mut Report<'f>) -> Self {
        let conditions = index(&document.conditions, |located| spanned(&located.entry.id), report);
        let clusters = index(&document.clusters, |located| spanned(&located.entry.id), report);
        index(&document.sources, |located| (&located.entry.id, located.offset), report);
        let mut sources: Vec<Source> =
            document.sources.iter().map(|located| located.entry.clone()).collect();
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        Self { report, conditions, clusters, sources, judged_figures: 0 }
    }

    fn compile(mut self, document: &Document, digest: String) -> Option<KnowledgeBase> {
        if document.conditions.len() > MOST_CONDITIONS {
            self.report.overall(format!("more than {MOST_CONDITIONS} conditions"));
        }
        let card = self.card(document);
        let conditions = document.conditions.iter().map(Self::condition_entry).collect();
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
            sources: self.sources,
            judged_figures: self.judged_figures,
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
        let card = &located.entry;
        if !is_plain_id(&card.version) {
            self.report.at(located.file, located.offset, format!("version: {PLAIN_ID}"));
        }
        self.check_attributes(located);
        Some(card.clone())
    }

    /// Every attribute stands once. A card from before there were any has none.
    fn check_attributes(&mut self, located: &Located<ModelCard>) {
        let mut missing: BTreeSet<&str> = ATTRIBUTES.split(' ').collect();
        for Attribute { id, .. } in &located.entry.attributes {
            if !missing.remove(id.as_str()) {
                let reason = format!("the attribute `{id}` is unknown or stands twice");
                self.report.at(located.file, located.offset, reason);
            }
        }
        if !missing.is_empty() && !located.entry.attributes.is_empty() {
            let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
            self.report.at(located.file, located.offset, format!("missing attributes: {missing}"));
        }
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

    fn condition_entry(located: &Located<raw::Condition>) -> Condition {
        let Located { entry, .. } = located;
        let mut codes = coded([
            ("http://hl7.org/fhir/sid/icd-10", &entry.icd10),
            ("http://hl7.org/fhir/sid/icd-10-cm", &entry.icd10cm),
        ]);
        codes.extend(terminology(&entry.codes));
        Condition {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            origin: entry.origin,
            mechanism: entry.mechanism,
            description: entry.description.clone(),
            codes,
        }
    }

    fn condition(&mut self, file: usize, id: &Spanned<String>) -> Option<usize> {
        let found = self.conditions.get(id.get_ref()).copied();
        self.known(file, id, "condition", found)
    }

    fn cluster(&mut self, file: usize, id: &Spanned<String>) -> Option<usize> {
        let found = self.clusters.get(id.get_ref()).copied();
        self.known(file, id, "cluster", found)
    }

    fn source(&mut self, file: usize, id: &Spanned<String>) -> Option<usize> {
        let found = self.sources.binary_search_by(|source| source.id.cmp(id.get_ref())).ok();
        self.known(file, id, "source", found)
    }

    /// The index that was found for an id; none is a fault.
    fn known(
        &mut self,
        file: usize,
        id: &Spanned<String>,
        what: &str,
        found: Option<usize>,
    ) -> Option<usize> {
        if found.is_none() {
            self.fault(file, id, &format!("no {what} has the id `{}`", id.get_ref()));
        }
        found
    }

    fn left_out(&mut self, located: &Located<raw::LeftOut>) -> LeftOut {
        let Located { file, entry, .. } = located;
        let source = entry.source.as_ref().and_then(|id| self.source(*file, id));
        let condition = entry.condition.as_ref().and_then(|id| self.condition(*file, id));
        if let Some(index) = source {
            self.sources[index].conditions.extend(condition);
        }
        LeftOut {
            subject: entry.subject.clone(),
            figure: entry.figure.clone(),
            source,
            condition,
            reason: entry.reason.clone(),
        }
    }

    fn fault<T>(&mut self, file: usize, at: &Spanned<T>, reason: &str) {
        self.report.at(file, at.span().start, reason.to_owned());
    }
}

pub(crate) fn is_plain_id(id: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// Positions by id; an id that stands twice is a fault and takes the place of its first entry, so that every position is
/// below the number of ids. `id` gives an entry's id and where it stands.
fn index<T>(
    entries: &[Located<T>],
    id: impl Fn(&Located<T>) -> (&String, usize),
    report: &mut Report<'_>,
) -> Index {
    let mut index = Index::new();
    for located in entries {
        let (id, offset) = id(located);
        if index.contains_key(id) {
            report.at(located.file, offset, format!("`{id}` stands twice"));
        } else {
            index.insert(id.clone(), index.len());
        }
        if !is_plain_id(id) {
            report.at(located.file, offset, PLAIN_ID.to_owned());
        }
    }
    index
}

fn spanned(id: &Spanned<String>) -> (&String, usize) {
    (id.get_ref(), id.span().start)
}

fn terminology(raw: &raw::Codes) -> Vec<Code> {
    coded([("http://snomed.info/sct", &raw.snomed), ("http://loinc.org", &raw.loinc)])
}

/// The codes that are stated, by the FHIR URI of their system.
fn coded<const N: usize>(stated: [(&'static str, &Option<String>); N]) -> Vec<Code> {
    let code = |(system, code): (_, &Option<String>)| Some(Code { system, code: code.clone()? });
    stated.into_iter().filter_map(code).collect()
}
