//! Patients drawn from the model itself: what they show holds if the model's numbers do, and only then.

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::cohort::Truth;
use crate::domain::{AgeYears, Case, Complaint, CredibleLevel, Detail, Observation};
use crate::engine::Model;
use crate::knowledge::{Correlation, Finding, KnowledgeBase, Parameter};

/// A sampled patient.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) case: Case,
    /// The conditions present.
    pub(super) truth: Truth,
    /// The origins that contribute to the heel pain.
    pub(super) contributes: [bool; 4],
}

/// Draws patients with heel pain of one setting.
#[derive(Debug)]
pub(super) struct Sampler<'m> {
    model: &'m Model,
    setting: usize,
    /// Most findings of a patient.
    findings: usize,
    leak: f64,
    /// Running sums of the probabilities of all sets of conditions.
    cumulative: Vec<f64>,
    random: ChaCha8Rng,
}

impl<'m> Sampler<'m> {
    /// Draws patients with so many findings from the sets that `wanted` takes, given the origins present.
    pub(super) fn new(
        model: &'m Model,
        setting: usize,
        findings: usize,
        wanted: impl Fn([bool; 4]) -> bool,
    ) -> Self {
        let knowledge = model.knowledge();
        let mut total = 0.0;
        let weigh = |(set, weight): (usize, f64)| {
            let origins = Truth::new(knowledge, members(set)).origins;
            total += if wanted(origins) { weight } else { 0.0 };
            total
        };
        let cumulative = set_weights(model, setting).into_iter().enumerate().map(weigh).collect();
        let leak = model.solution(setting, Complaint::Present).leak;
        let random = ChaCha8Rng::seed_from_u64(7);
        Self { model, setting, findings, leak, cumulative, random }
    }

    /// The next patient.
    pub(super) fn draw(&mut self) -> Patient {
        let knowledge = self.model.knowledge();
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let at = self.random.random_range(0.0..total);
        let present = members(self.cumulative.partition_point(|sum| *sum <= at));
        let age = AgeYears::new(self.random.random_range(25..=80));
        let contributes = self.contributing(&present);
        let mut findings = informative(knowledge);
        findings.shuffle(&mut self.random);
        let mut observations: Vec<Observation> = Vec::new();
        for finding in findings {
            if observations.len() < self.findings && self.is_free(finding, &observations) {
                let present = self.has(finding, &present, age);
                observations.push(Observation { finding, present });
            }
        }
        observations.sort_by_key(|observation| observation.finding);
        Patient {
            truth: Truth::new(knowledge, present),
            contributes,
            case: Case { age, observations, ..plain(self.setting) },
        }
    }

    /// The next patient's conditions and age, and every finding that tells anything by itself.
    pub(super) fn examine(&mut self) -> (Case, Vec<Observation>, [bool; 4]) {
        let Patient { case, truth, contributes } = self.draw();
        let findings = informative(self.model.knowledge()).into_iter();
        let observe = |finding| {
            let present = self.has(finding, &truth.conditions, case.age);
            Observation { finding, present }
        };
        let all = findings.map(observe).collect();
        (Case { observations: Vec::new(), ..case }, all, contributes)
    }

    /// Whether nothing of a finding's cluster was drawn: the model discounts agreement within a
    /// cluster, which patients of independent findings do not have.
    fn is_free(&self, finding: usize, drawn: &[Observation]) -> bool {
        let findings = &self.model.knowledge().findings;
        let cluster = findings[finding].cluster;
        let same = |other: &Observation| findings[other.finding].cluster == cluster;
        cluster.is_none() || !drawn.iter().any(same)
    }

    fn has(&mut self, finding: usize, conditions: &[usize], age: Option<AgeYears>) -> bool {
        let finding = &self.model.knowledge().findings[finding];
        let leak = finding.leak_at(age).map_or(0.0, |leak| leak.rate.probability());
        let linked = finding.links_at(age).filter(|link| conditions.contains(&link.condition));
        let inhibition = linked.map(|link| (1.0 - link.sensitivity.probability()) / (1.0 - leak));
        let absent = inhibition.fold(1.0 - leak, |absent, own| absent * own.min(1.0));
        self.random.random_bool(1.0 - absent)
    }

    /// Which origins are at work, drawn until something is.
    fn contributing(&mut self, present: &[usize]) -> [bool; 4] {
        let knowledge = self.model.knowledge();
        loop {
            let mut active = [false; 4];
            for &condition in present {
                let link = knowledge.complaint.links[condition].sensitivity.probability();
                if self.random.random_bool(link) {
                    active[knowledge.conditions[condition].origin.index()] = true;
                }
            }
            if self.random.random_bool(self.leak) || active.contains(&true) {
                return active;
            }
        }
    }
}

/// Sampled patients with heel pain of a setting, of whom every finding that tells anything by itself is known.
#[must_use]
pub fn patients(model: &Model, setting: usize, count: usize) -> Vec<Case> {
    let mut sampler = Sampler::new(model, setting, 0, |_| true);
    let examined = |_| {
        let (case, observations, _) = sampler.examine();
        Case { observations, ..case }
    };
    (0..count).map(examined).collect()
}

/// The weight of every set of conditions given heel pain in a setting; bit c of a set's index stands for condition c.
fn set_weights(model: &Model, setting: usize) -> Vec<f64> {
    let knowledge = model.knowledge();
    let solution = model.solution(setting, Complaint::Present);
    let links: Vec<f64> =
        knowledge.complaint.links.iter().map(|link| link.sensitivity.probability()).collect();
    let weight = |set: usize| {
        let members = members(set);
        let mut log: f64 = members.iter().map(|&member| solution.log_odds[member]).sum();
        for (pair, factor) in knowledge.associations.iter().zip(&solution.associations) {
            let both = members.contains(&pair.condition) && members.contains(&pair.given);
            log += if both { *factor } else { 0.0 };
        }
        let origins = Truth::new(knowledge, members.clone()).origins;
        log += if several(origins) { solution.coexistence } else { 0.0 };
        let silent: f64 = members.iter().map(|&member| 1.0 - links[member]).product();
        log.exp() * (1.0 - (1.0 - solution.leak) * silent)
    };
    (0..1 << links.len()).map(weight).collect()
}

/// P(0, 1, 2, 3 or more conditions | heel pain) in a setting.
#[must_use]
pub fn condition_counts(model: &Model, setting: usize) -> [f64; 4] {
    let mut counts = [0.0; 4];
    let weights = set_weights(model, setting);
    let total: f64 = weights.iter().sum();
    for (set, weight) in weights.iter().enumerate() {
        counts[set.count_ones().min(3) as usize] += weight / total;
    }
    counts
}

/// Findings that tell something by themselves, in the order of the knowledge base.
fn informative(knowledge: &KnowledgeBase) -> Vec<usize> {
    let tells = |finding: &Finding| {
        finding.is_informative() && finding.part_of.is_none() && finding.parts.is_empty()
    };
    let findings = knowledge.findings.iter().enumerate().filter(|(_, finding)| tells(finding));
    findings.map(|(index, _)| index).collect()
}

/// A patient with heel pain of whom nothing else is known.
pub(super) fn plain(setting: usize) -> Case {
    Case {
        setting,
        complaint: Complaint::Present,
        age: None,
        observations: Vec::new(),
        exposures: Vec::new(),
        level: CredibleLevel::default(),
        detail: Detail::Basic,
    }
}

fn members(set: usize) -> Vec<usize> {
    (0..usize::BITS as usize).filter(|condition| set >> condition & 1 == 1).collect()
}

/// Whether two or more origins are present.
pub(super) fn several(origins: [bool; 4]) -> bool {
    origins.iter().filter(|present| **present).count() >= 2
}

/// The knowledge base with one of its settings and every parameter moved by its standard deviation times a draw of `normal`.
pub fn redrawn(
    knowledge: &KnowledgeBase,
    setting: usize,
    normal: &mut impl FnMut() -> f64,
) -> KnowledgeBase {
    let mut drawn = knowledge.clone();
    drawn.settings = vec![drawn.settings.swap_remove(setting)];
    let mut draw =
        |parameter: &mut Parameter| parameter.mean += parameter.variance.sqrt() * normal();
    let profile = &mut drawn.settings[0];
    draw(&mut profile.unexplained);
    draw(&mut profile.coexistence);
    profile.prevalences.iter_mut().for_each(|prevalence| draw(&mut prevalence.value));
    for association in &mut drawn.associations {
        match &mut association.correlation {
            Correlation::Conditional(stated) | Correlation::OddsRatio(stated) => draw(stated),
        }
    }
    for finding in drawn.findings.iter_mut().chain([&mut drawn.complaint]) {
        finding.leaks.iter_mut().for_each(|leak| draw(&mut leak.rate));
        finding.links.iter_mut().for_each(|link| draw(&mut link.sensitivity));
    }
    for factor in &mut drawn.risk_factors {
        draw(&mut factor.prevalence);
        factor.effects.iter_mut().for_each(|effect| draw(&mut effect.odds_ratio));
    }
    drawn
}

/// A standard normal number by the method of Box and Muller.
pub(super) fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
