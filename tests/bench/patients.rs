//! Sampled patients.

use heel_origin::domain::Complaint;
use heel_origin::engine::Model;
use heel_origin::knowledge::{Finding, Link};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

/// Age of every patient.
pub(crate) const AGE: u32 = 52;

/// What one patient sends: the id of each finding and whether it is present.
pub(crate) type Sent = Vec<(String, bool)>;

/// A patient with heel pain and `findings` findings drawn at random, with the results that the patient's conditions would give.
pub(crate) fn patient(model: &Model, seed: u64, findings: usize) -> Sent {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let log_odds = model.solution(0, Complaint::Present).log_odds;
    let present: Vec<bool> =
        log_odds.iter().map(|log| random.random_bool(1.0 / (1.0 + (-log).exp()))).collect();
    let mut all: Vec<&Finding> = can_be_sent(model).collect();
    all.shuffle(&mut random);
    let mut result = |finding: &Finding| {
        let leak = finding.leaks[0].rate.probability();
        let causes = finding.links_at(None).filter(|link| present[link.condition]);
        let silent = |link: &Link| ((1.0 - link.sensitivity.probability()) / (1.0 - leak)).min(1.0);
        let absent = (1.0 - leak) * causes.map(silent).product::<f64>();
        !random.random_bool(absent)
    };
    all.iter().take(findings).map(|finding| (finding.id.clone(), result(finding))).collect()
}

/// What costs most: every finding, all present.
pub(crate) fn everything(model: &Model) -> Sent {
    can_be_sent(model).take(256).map(|finding| (finding.id.clone(), true)).collect()
}

fn can_be_sent(model: &Model) -> impl Iterator<Item = &Finding> {
    let findings = model.knowledge().findings.iter();
    findings.filter(|finding| !finding.links.is_empty() && finding.parts.is_empty())
}
