//! What each stage of an answer costs, over sampled patients; the worst is every finding, all present.
//!
//! `cargo bench --bench stages`. The fastest, slowest, median and mean are over patients.

#![expect(clippy::unwrap_used, reason = "a bench stops at the first fault")]

#[path = "patients.rs"]
mod patients;

use std::sync::{Arc, LazyLock};

use divan::Bencher;
use heel_origin::advice::{self, Answer};
use heel_origin::domain::{Assessment, Case, Detail};
use heel_origin::engine::{self, Model, Outlook};
use heel_origin::intake::{self, Accepted, Choice, Draft, DraftFinding, Value};
use heel_origin::rules::{Rules, Safety};
use heel_origin::{knowledge, rules};
use patients::Patient;

/// Patients of each kind.
const PATIENTS: usize = 41;
/// Numbers of findings.
const FINDINGS: [&str; 4] = ["5", "25", "80", "all"];

static RULES: LazyLock<Rules> = LazyLock::new(|| rules::load(&knowledge::embedded()).unwrap());
static MODEL: LazyLock<Model> = LazyLock::new(|| Model::new(Arc::clone(&RULES.knowledge)).unwrap());

fn main() {
    divan::main();
}

/// The patients of a kind.
fn drafts(findings: &str) -> Vec<Draft> {
    let patients = match findings.parse() {
        Ok(findings) => patients::patients(&MODEL, PATIENTS, findings),
        Err(_) => vec![patients::everything(&MODEL)],
    };
    patients.into_iter().map(draft).collect()
}

/// Patients in turn.
fn each<T>(bencher: Bencher<'_, '_>, findings: &str, stage: impl Fn(&Accepted) -> T + Sync) {
    let patients: Vec<Accepted> = drafts(findings).iter().map(accepted).collect();
    let mut turn = patients.iter().cycle();
    bencher.with_inputs(|| turn.next().unwrap()).bench_local_refs(|patient| stage(patient));
}

fn draft(patient: Patient) -> Draft {
    let finding = |(id, present)| DraftFinding {
        id,
        value: Some(Value::YesNo(present)),
        side: Choice::Unset,
    };
    Draft {
        has_assessment: true,
        age_years: patient.age_years,
        findings: patient.findings.into_iter().map(finding).collect(),
        ..Draft::default()
    }
}

fn accepted(draft: &Draft) -> Accepted {
    intake::case(draft, &RULES, 0).unwrap()
}

fn detailed(accepted: &Accepted, detail: Detail) -> Case {
    Case { detail, ..accepted.case.clone() }
}

#[divan::bench(args = FINDINGS, sample_count = 123, sample_size = 1)]
fn posterior(bencher: Bencher<'_, '_>, findings: &str) {
    each(bencher, findings, |of: &Accepted| -> Outlook { engine::outlook(&MODEL, &of.case) });
}

#[divan::bench(args = FINDINGS, sample_count = 123, sample_size = 1)]
fn with_intervals(bencher: Bencher<'_, '_>, findings: &str) {
    let stage =
        |of: &Accepted| -> Assessment { engine::assess(&MODEL, &detailed(of, Detail::Basic)) };
    each(bencher, findings, stage);
}

#[divan::bench(args = FINDINGS, sample_count = 41, sample_size = 1)]
fn with_contributions(bencher: Bencher<'_, '_>, findings: &str) {
    let stage = |of: &Accepted| engine::assess(&MODEL, &detailed(of, Detail::Full));
    each(bencher, findings, stage);
}

#[divan::bench(args = FINDINGS, sample_count = 41, sample_size = 1)]
fn suggestions(bencher: Bencher<'_, '_>, findings: &str) {
    each(bencher, findings, |of: &Accepted| advice::suggest(&MODEL, &RULES, of, &safety_of(of)));
}

#[divan::bench(args = FINDINGS, sample_count = 123, sample_size = 1)]
fn safety(bencher: Bencher<'_, '_>, findings: &str) {
    each(bencher, findings, safety_of);
}

fn safety_of(accepted: &Accepted) -> Safety {
    RULES.safety(&accepted.facts)
}

#[divan::bench(args = FINDINGS, sample_count = 41, sample_size = 1)]
fn whole_answer(bencher: Bencher<'_, '_>, findings: &str) {
    each(bencher, findings, |of: &Accepted| -> Answer { advice::answer(&MODEL, &RULES, of) });
}

#[divan::bench(args = FINDINGS, sample_count = 123, sample_size = 1)]
fn intake_alone(bencher: Bencher<'_, '_>, findings: &str) {
    let drafts = drafts(findings);
    let mut turn = drafts.iter().cycle();
    bencher.with_inputs(|| turn.next().unwrap()).bench_local_refs(|draft| accepted(draft));
}
