//! What each id that a caller may send stands for.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use crate::knowledge::base::{Finding, Measure, RiskFactor};
use crate::knowledge::check::Report;
use crate::knowledge::raw::{self, Document};
use crate::knowledge::{Subject, Term};

/// The terms of all findings and risk factors; an id that stands for two things is a fault.
pub(super) fn of(
    document: &Document,
    findings: &[Finding],
    risk_factors: &[RiskFactor],
    report: &mut Report<'_>,
) -> BTreeMap<String, Term> {
    check_unique(document, report);
    let findings = findings.iter().enumerate().map(|(position, finding)| {
        (Subject::Finding(position), &finding.id, &finding.aliases, &finding.measure)
    });
    let sent = risk_factors.iter().enumerate().filter(|(_, factor)| factor.derived.is_none());
    let factors = sent.map(|(position, factor)| {
        (Subject::RiskFactor(position), &factor.id, &factor.aliases, &factor.measure)
    });
    let mut terms = BTreeMap::from([("heel_pain".to_owned(), Term::YesNo(Subject::Complaint))]);
    for (subject, id, aliases, measure) in findings.chain(factors) {
        for id in std::iter::once(id).chain(aliases) {
            terms.insert(id.clone(), Term::YesNo(subject));
        }
        let Some(Measure { id, .. }) = measure else { continue };
        match terms.get_mut(id) {
            Some(Term::Measured(subjects)) => subjects.push(subject),
            _ => drop(terms.insert(id.clone(), Term::Measured(vec![subject]))),
        }
    }
    terms
}

/// Every id and alias is plain and stands once. A measured id may stand again, with the same unit and range.
fn check_unique(document: &Document, report: &mut Report<'_>) {
    let findings = document.findings.iter().map(|located| {
        let raw::Finding { id, aliases, measure, .. } = &located.entry;
        (located.file, id, aliases, measure)
    });
    let factors = document.risk_factors.iter().map(|located| {
        let raw::RiskFactor { id, aliases, measure, .. } = &located.entry;
        (located.file, id, aliases, measure)
    });
    let mut seen = BTreeSet::new();
    let mut measures: BTreeMap<&str, &raw::Measure> = BTreeMap::new();
    for (file, id, aliases, measure) in findings.chain(factors) {
        let stated = measure.as_ref().map(Spanned::get_ref);
        let first = stated.and_then(|own| measures.insert(own.id.get_ref(), own));
        let is_shared = stated
            .zip(first)
            .is_some_and(|(own, first)| (&own.unit, own.range) == (&first.unit, first.range));
        let new = stated.filter(|_| !is_shared).map(|measure| &measure.id);
        for id in std::iter::once(id).chain(aliases).chain(new) {
            if !super::is_plain_id(id.get_ref()) {
                report.at(file, id.span().start, super::PLAIN_ID.to_owned());
            }
            if !seen.insert(id.get_ref().as_str()) {
                report.at(file, id.span().start, format!("the id `{}` stands twice", id.get_ref()));
            }
        }
    }
}
