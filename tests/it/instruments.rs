//! Named instruments, by the published vectors of `tests/rules/instruments.jsonl`.

use heel_origin::domain::Side;
use heel_origin::intake::{Choice, Draft, DraftFinding};
use heel_origin::rules::{InstrumentResult, Status};
use serde::Deserialize;

use crate::facts::{Sent, atom_id, draft, facts, finding, lines, told};
use crate::support::RULES;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    instrument: String,
    age: Option<u32>,
    findings: Vec<Item>,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    present: Option<bool>,
    value: Option<f64>,
    side: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    score: Option<f64>,
    score_min: Option<f64>,
    score_max: Option<f64>,
    settled: Option<bool>,
    probability: Option<f64>,
    verdict: Option<String>,
    possible: Option<Vec<String>>,
    four: Option<(f64, f64)>,
    four_positive: Option<bool>,
    missing: Option<Vec<String>>,
}

impl Item {
    fn draft(&self) -> DraftFinding {
        let sent = self.present.map(Sent::YesNo).or(self.value.map(Sent::Number)).unwrap();
        let side = self.side.as_deref().map(|side| match side {
            "left" => Side::Left,
            "right" => Side::Right,
            other => panic!("no side {other}"),
        });
        finding(&self.id, sent, side)
    }
}

/// The facts of a draft whose sides may differ: two feet are two answers.
fn result(vector: &Vector) -> InstrumentResult {
    let findings = vector.findings.iter().map(Item::draft).collect();
    let of_feet = vector.findings.iter().any(|item| item.side.is_some());
    let side = if of_feet { Choice::Known(Side::Right) } else { Choice::Unset };
    let facts = facts(&Draft { side, ..draft(vector.age, findings) });
    let results = RULES.instruments(&facts);
    let own =
        |result: &InstrumentResult| RULES.instruments[result.instrument].id == vector.instrument;
    results.into_iter().find(own).expect(&vector.instrument)
}

#[test]
fn instruments_give_the_published_results() {
    let vectors: Vec<Vector> = lines("instruments.jsonl");
    assert_eq!(vectors.len(), 40);
    for vector in &vectors {
        let result = result(vector);
        let instrument = &RULES.instruments[result.instrument];
        let (own, bands) = (&result.readings[0], &instrument.readings[0].bands);
        let verdict = |band: &usize| bands[*band].verdict.clone();
        let expect = &vector.expect;
        if let Some(score) = expect.score {
            assert!((own.score.unwrap() - score).abs() < 5e-5, "{vector:?}\n{own:?}");
            assert_eq!(own.verdict.as_ref().map(verdict), expect.verdict, "{vector:?}");
        } else {
            assert_eq!(own.score, None, "{vector:?}");
        }
        if let Some(bounds) = expect.score_min.zip(expect.score_max) {
            assert_eq!(own.range, bounds, "{vector:?}");
            assert_eq!(Some(own.possible.len() == 1), expect.settled, "{vector:?}");
            let mut possible: Vec<String> = own.possible.iter().map(verdict).collect();
            possible.sort();
            assert_eq!(Some(&possible), expect.possible.as_ref(), "{vector:?}");
        }
        if let Some(probability) = expect.probability {
            assert!((own.probability.unwrap().0 - probability).abs() < 5e-5, "{vector:?}");
        }
        if let Some(bounds) = expect.four {
            assert_eq!(result.readings[1].range, bounds, "{vector:?}");
            let positive = result.readings[1].verdict.map(|band| band == 0);
            assert_eq!(positive, expect.four_positive, "{vector:?}");
        }
        if let Some(missing) = &expect.missing {
            let mut found: Vec<String> = result.missing.iter().map(atom_id).collect();
            found.sort();
            assert_eq!(&found, missing, "{vector:?}");
        }
    }
}

fn instrument(id: &str, draft: &Draft) -> Option<InstrumentResult> {
    let results = RULES.instruments(&facts(draft));
    results.into_iter().find(|result| RULES.instruments[result.instrument].id == id)
}

#[test]
fn an_instrument_says_whom_it_was_made_for() {
    let status = |id, age, findings: &[(&str, bool)]| {
        instrument(id, &draft(age, told(findings))).map(|result| result.status)
    };
    let stiff = ("morning_stiffness_over_30_min", true);
    let berlin = |age, findings: &[_]| status("ibp_berlin_2006", age, findings);
    assert_eq!(berlin(Some(40), &[stiff]), Some(Status::Bounded));
    assert_eq!(berlin(Some(51), &[stiff]), Some(Status::NotApplicable));
    assert_eq!(berlin(Some(40), &[stiff, ("low_back_pain", false)]), Some(Status::NotApplicable));
    assert_eq!(berlin(Some(40), &[]), None, "nothing of it was asked");
    let feet = ("ankle_reflex_absent", true);
    let mnsi = |findings: &[_]| status("mnsi_exam_1994", None, findings);
    assert_eq!(mnsi(&[feet]), Some(Status::NotValidatedPopulation));
    assert_eq!(mnsi(&[feet, ("diabetes", false)]), Some(Status::NotValidatedPopulation));
    assert_eq!(mnsi(&[feet, ("diabetes", true)]), Some(Status::Bounded));
}

#[test]
fn a_result_without_side_counts_once() {
    let laslett = |side| {
        let gaenslen = finding("gaenslen_test", Sent::YesNo(true), side);
        instrument("sij_laslett_2005", &draft(None, vec![gaenslen])).unwrap().readings[0].range
    };
    assert_eq!(laslett(None), (1.0, 6.0));
    assert_eq!(laslett(Some(Side::Left)), (1.0, 6.0));
    assert_eq!(laslett(Some(Side::Both)), (2.0, 6.0));
}

#[test]
fn inflammatory_back_pain_follows_from_its_parts() {
    let parts = [
        ("morning_stiffness_over_30_min", true),
        ("back_pain_at_night", true),
        ("low_back_pain", true),
    ];
    let result = instrument("axspa_lr_product_rudwaleit", &draft(Some(30), told(&parts))).unwrap();
    assert_eq!(result.readings[0].score, Some(3.1));
    // With HLA-B27 known and psoriasis not, the weaker ratio stays possible.
    let mut findings = told(&parts);
    findings.push(finding("hla_b27_positive", Sent::YesNo(true), None));
    let result = instrument("axspa_lr_product_rudwaleit", &draft(Some(30), findings)).unwrap();
    assert!((result.readings[0].score.unwrap() - 27.9).abs() < 1e-9);
    assert!(result.readings[0].range.0 < 27.9 * 5.0 / 9.0 + 1e-9);
}
