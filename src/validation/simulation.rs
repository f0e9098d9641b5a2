//! Measurements on sampled patients.

use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;

use super::measures::Bin;
use super::prediction::{Method, predict};
use super::sampled::{Patient, Sampler, normal, plain, redrawn, several};
use crate::domain::{Case, Interval, Observation, Origin};
use crate::engine::{self, Model};

/// Findings of a patient for calibration and intervals.
pub(super) const FINDINGS: usize = 25;
/// Findings of a patient with conditions of two or more origins: a visit, and everything that can be examined.
const FEW_AND_ALL: [usize; 2] = [FINDINGS, usize::MAX];
/// Patients whose likelihoods are compared with what came true.
const CALIBRATED: usize = 1_000;
/// Patients with conditions of two or more origins.
const SEVERAL: usize = 300;
/// Patients, and draws of all parameters, for the coverage of the intervals.
const COVERED: (usize, usize) = (12, 60);
/// Presence from which on an origin counts as named.
const NAMED: f64 = 0.3;

/// What sampled patients show.
#[derive(Debug)]
pub(super) struct Simulation {
    /// Id of the setting they come from.
    pub(super) setting: String,
    /// Likelihood of each origin against whether it contributed.
    pub(super) likelihood: Vec<Bin>,
    /// Share of parameter draws that the 95 % intervals of likelihood and of weight hold; number of draws.
    pub(super) coverage: (f64, f64, usize),
    /// Patients with conditions of two or more origins, by the number of their findings.
    pub(super) both_named: [BothNamed; 2],
    /// Spinal likelihood before and after low back pain alone, for each setting.
    pub(super) low_back_pain: Vec<(String, f64, f64)>,
}

/// Patients with conditions of two or more origins.
#[derive(Debug)]
pub(super) struct BothNamed {
    /// Mean number of findings.
    pub(super) findings: f64,
    /// Share of the patients in whom the service names two true origins.
    pub(super) service: f64,
    /// Share of the patients in whom the naive product does.
    pub(super) naive: f64,
}

pub(super) fn simulate(model: &Model) -> Simulation {
    let knowledge = model.knowledge();
    let podiatry = knowledge.settings.iter().position(|setting| setting.id == "podiatry");
    let setting = podiatry.unwrap_or(0);
    Simulation {
        setting: knowledge.settings[setting].id.clone(),
        likelihood: likelihood(model, setting),
        coverage: coverage(model, setting),
        both_named: FEW_AND_ALL.map(|findings| both_named(model, setting, findings)),
        low_back_pain: low_back_pain(model),
    }
}

fn likelihood(model: &Model, setting: usize) -> Vec<Bin> {
    let mut sampler = Sampler::new(model, setting, FINDINGS, |_| true);
    let mut pairs = Vec::new();
    for _ in 0..CALIBRATED {
        let Patient { case, contributes, .. } = sampler.draw();
        let answered = engine::outlook(model, &case).likelihood;
        let told = contributes.map(|own| f64::from(u8::from(own)));
        pairs.extend(answered.into_iter().zip(told));
    }
    Bin::all(&pairs)
}

fn coverage(model: &Model, setting: usize) -> (f64, f64, usize) {
    let (patients, draws) = COVERED;
    let mut sampler = Sampler::new(model, setting, FINDINGS, |_| true);
    let cases: Vec<Case> = (0..patients).map(|_| sampler.draw().case).collect();
    let claimed: Vec<_> = cases.iter().map(|case| engine::assess(model, case)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let (mut likelihoods, mut weights, mut solved) = (0.0, 0.0, 0);
    for _ in 0..draws {
        let knowledge = redrawn(model.knowledge(), setting, &mut || normal(&mut random));
        // A draw whose numbers contradict one another is no possible world.
        let Ok(world) = Model::new(Arc::new(knowledge)) else { continue };
        solved += 1;
        for (case, claimed) in cases.iter().zip(&claimed) {
            let answered = engine::outlook(&world, &Case { setting: 0, ..case.clone() });
            for score in &claimed.origins {
                let origin = score.origin.index();
                likelihoods += inside(score.likelihood_interval, answered.likelihood[origin]);
                let weight = answered.rank[origin];
                weights += score.weight.map_or(0.0, |(_, interval)| inside(interval, weight));
            }
        }
    }
    let all = (solved * patients * 4) as f64;
    (likelihoods / all, weights / all, solved)
}

fn inside(interval: Interval, value: f64) -> f64 {
    f64::from(u8::from((interval.lower..=interval.upper).contains(&value)))
}

fn both_named(model: &Model, setting: usize, findings: usize) -> BothNamed {
    let mut sampler = Sampler::new(model, setting, findings, several);
    let mut mean = BothNamed { findings: 0.0, service: 0.0, naive: 0.0 };
    for _ in 0..SEVERAL {
        let Patient { case, truth, .. } = sampler.draw();
        let both = |named: [bool; 4]| {
            let right = (0..4).filter(|&o| named[o] && truth.origins[o]).count();
            f64::from(u8::from(right >= 2)) / SEVERAL as f64
        };
        mean.findings += case.observations.len() as f64 / SEVERAL as f64;
        mean.service += both(present(model, &case));
        mean.naive += both(predict(model, &case, Method::NaiveProduct).origins.map(|p| p > NAMED));
    }
    mean
}

/// Whether a condition of each origin is named.
fn present(model: &Model, case: &Case) -> [bool; 4] {
    let assessment = engine::assess(model, case);
    let conditions = &model.knowledge().conditions;
    Origin::ALL.map(|origin| {
        let mut own =
            assessment.conditions.iter().filter(|s| conditions[s.condition].origin == origin);
        own.any(|score| score.present > NAMED)
    })
}

fn low_back_pain(model: &Model) -> Vec<(String, f64, f64)> {
    let knowledge = model.knowledge();
    let Some(finding) = knowledge.findings.iter().position(|f| f.id == "low_back_pain") else {
        return Vec::new();
    };
    let settings = knowledge.settings.iter().enumerate();
    let spinal = |case: &Case| engine::outlook(model, case).likelihood[Origin::Spinal.index()];
    let of_setting = |(index, setting): (usize, &crate::knowledge::Setting)| {
        let before = plain(index);
        let observations = vec![Observation { finding, present: true }];
        let after = Case { observations, ..before.clone() };
        (setting.id.clone(), spinal(&before), spinal(&after))
    };
    settings.map(of_setting).collect()
}
