//! Requests of sampled patients.

use heel_origin::domain::Complaint;
use heel_origin::engine::Model;
use heel_origin::grpc::pb;
use heel_origin::knowledge::Finding;
use prost::Message as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Age of every patient.
const AGE: u32 = 52;

/// Encoded requests of `count` patients with heel pain, each with `findings` findings drawn at random and with the results that the
/// patient's conditions would give.
pub(crate) fn requests(model: &Model, count: u64, findings: usize, view: pb::View) -> Vec<Vec<u8>> {
    let request = |seed| request(model, seed, findings, view).encode_to_vec();
    (0..count).map(request).collect()
}

/// The request of one that costs most: every finding, all present.
pub(crate) fn worst(model: &Model, view: pb::View) -> Vec<u8> {
    let all = can_be_sent(model).map(|finding| sent(finding, true));
    asked(all.take(256).collect(), view).encode_to_vec()
}

fn can_be_sent(model: &Model) -> impl Iterator<Item = &Finding> {
    let findings = model.knowledge().findings.iter();
    findings.filter(|finding| !finding.links.is_empty() && finding.parts.is_empty())
}

fn request(model: &Model, seed: u64, findings: usize, view: pb::View) -> pb::ScoreFindingsRequest {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let log_odds = model.solution(0, Complaint::Present).log_odds;
    let present: Vec<bool> =
        log_odds.iter().map(|log| random.random_bool(1.0 / (1.0 + (-log).exp()))).collect();
    let mut all: Vec<&Finding> = can_be_sent(model).collect();
    all.shuffle(&mut random);
    let mut result = |finding: &Finding| {
        let leak = finding.leaks[0].rate.probability();
        let causes = finding.links_at(None).filter(|link| present[link.condition]);
        let silent = |link: &heel_origin::knowledge::Link| {
            ((1.0 - link.sensitivity.probability()) / (1.0 - leak)).min(1.0)
        };
        let absent = (1.0 - leak) * causes.map(silent).product::<f64>();
        !random.random_bool(absent)
    };
    asked(all.iter().take(findings).map(|finding| sent(finding, result(finding))).collect(), view)
}

fn sent(finding: &Finding, present: bool) -> pb::Finding {
    pb::Finding {
        id: finding.id.clone(),
        value: Some(pb::finding::Value::Present(present)),
        ..pb::Finding::default()
    }
}

fn asked(findings: Vec<pb::Finding>, view: pb::View) -> pb::ScoreFindingsRequest {
    let patient = pb::Patient { age_years: Some(AGE), ..pb::Patient::default() };
    pb::ScoreFindingsRequest {
        assessment: Some(pb::Assessment {
            patient: Some(patient),
            findings,
            ..pb::Assessment::default()
        }),
        options: Some(pb::ScoreOptions { view: view.into(), ..pb::ScoreOptions::default() }),
    }
}
