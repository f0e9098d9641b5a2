//! What each id that a caller may send stands for.

use std::collections::{BTreeMap, BTreeSet};

use crate::knowledge::base::{Finding, Form, RiskFactor, Term};
use crate::knowledge::check::Report;
use crate::knowledge::raw::{self, Document};

/// The terms of all findings and risk factors; an id that stands for two things is a fault.
pub(super) fn of(
    document: &Document,
    findings: &[Finding],
    risk_factors: &[RiskFactor],
    report: &mut Report<'_>,
) -> BTreeMap<String, Term> {
    check_unique(document, report);
    let mut terms = BTreeMap::from([("heel_pain".to_owned(), Term::Complaint)]);
    for (position, finding) in findings.iter().enumerate() {
        for id in std::iter::once(&finding.id).chain(&finding.aliases) {
            terms.insert(id.clone(), Term::Finding(position, Form::YesNo));
        }
        if let Some(measure) = &finding.measure {
            terms.insert(measure.id.clone(), Term::Finding(position, Form::Measured));
        }
    }
    let sent = risk_factors.iter().enumerate().filter(|(_, factor)| factor.derived.is_none());
    for (position, factor) in sent {
        for id in std::iter::once(&factor.id).chain(&factor.aliases) {
            terms.insert(id.clone(), Term::RiskFactor(position, Form::YesNo));
        }
        if let Some(measure) = &factor.measure {
            terms.insert(measure.id.clone(), Term::RiskFactor(position, Form::Measured));
        }
    }
    terms
}

/// Every id, alias and measured id is plain and stands once.
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
    for (file, id, aliases, measure) in findings.chain(factors) {
        let measured = measure.as_ref().map(|measure| &measure.get_ref().id);
        for id in std::iter::once(id).chain(aliases).chain(measured) {
            if !super::is_plain_id(id.get_ref()) {
                report.at(file, id.span().start, super::PLAIN_ID.to_owned());
            }
            if !seen.insert(id.get_ref().as_str()) {
                report.at(file, id.span().start, format!("the id `{}` stands twice", id.get_ref()));
            }
        }
    }
}
