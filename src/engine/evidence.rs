//! What a case says of the conditions: a log likelihood for every finding, a log odds shift for every risk factor.

use std::collections::BTreeMap;

use super::enumeration::Factor;
use crate::domain::{Case, Unit};
use crate::knowledge::{Effect, Finding, KnowledgeBase, Parameter};

/// One piece of evidence.
#[derive(Debug, Clone)]
pub(super) enum Evidence<'k> {
    /// A finding.
    Observed(Observed<'k>),
    /// A risk factor.
    Exposed(Exposed<'k>),
}

/// A finding with the numbers that hold for the patient.
#[derive(Debug, Clone)]
pub(super) struct Observed<'k> {
    /// Index of the finding.
    pub(super) finding: usize,
    /// Its cluster.
    pub(super) cluster: Option<usize>,
    /// Present, or looked for and absent.
    pub(super) present: bool,
    /// Dependence weight, in (0, 1].
    pub(super) weight: f64,
    /// Its leak.
    pub(super) leak: &'k Parameter,
    /// Its causes: the conditions linked above the leak, ascending, with their sensitivities.
    pub(super) causes: Vec<(usize, &'k Parameter)>,
}

/// A risk factor that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Exposed<'k> {
    /// Index of the risk factor.
    pub(super) risk_factor: usize,
    /// Present, or absent.
    pub(super) present: bool,
    /// Its prevalence among heel-pain patients.
    pub(super) prevalence: &'k Parameter,
    /// Its effects.
    pub(super) effects: &'k [Effect],
}

/// A log likelihood up to a constant.
#[derive(Debug, Clone)]
pub(super) enum LogLikelihood {
    /// Each condition adds its shift when present.
    Shifts(Vec<(usize, f64)>),
    /// A table over several conditions.
    Table(Factor),
}

impl Evidence<'_> {
    /// The unit whose contribution this is part of.
    pub(super) fn unit(&self) -> Unit {
        match self {
            Self::Observed(observed) => {
                observed.cluster.map_or(Unit::Finding(observed.finding), Unit::Cluster)
            }
            Self::Exposed(exposed) => Unit::RiskFactor(exposed.risk_factor),
        }
    }

    /// What it says of the conditions.
    pub(super) fn log_likelihood(&self) -> LogLikelihood {
        match self {
            Self::Observed(observed) => observed.log_likelihood(),
            Self::Exposed(exposed) => exposed.log_likelihood(),
        }
    }
}

impl Observed<'_> {
    /// `weight * ln P(finding | S)`, with P(absent | S) = (1 - leak) * product over the causes in S of (1 - sensitivity) /
    /// (1 - leak). An absent finding, or one of a single cause, shifts log odds; else it takes a table over its causes.
    fn log_likelihood(&self) -> LogLikelihood {
        let leak = self.leak.probability();
        let inhibition = |sensitivity: f64| ((1.0 - sensitivity) / (1.0 - leak)).ln();
        let shift = |sensitivity: f64| {
            let log = if self.present { (sensitivity / leak).ln() } else { inhibition(sensitivity) };
            self.weight * log
        };
        if !self.present || self.causes.len() < 2 {
            let causes = self.causes.iter();
            let shifts = causes.map(|&(condition, link)| (condition, shift(link.probability())));
            return LogLikelihood::Shifts(shifts.collect());
        }
        let mut absent = vec![(1.0 - leak).ln()];
        for (_, link) in &self.causes {
            let inhibition = inhibition(link.probability());
            let with: Vec<f64> = absent.iter().map(|log| log + inhibition).collect();
            absent.extend(with);
        }
        LogLikelihood::Table(Factor {
            conditions: self.causes.iter().map(|(condition, _)| *condition).collect(),
            values: absent.iter().map(|log| self.weight * (-log.exp_m1()).ln()).collect(),
        })
    }
}

impl Exposed<'_> {
    /// Shift of the log odds: OR / (1 + phi (OR - 1)) when present, 1 / (1 + phi (OR - 1)) when absent, phi being the risk
    /// factor's prevalence, so that the average over heel-pain patients stays near the prevalence of the setting.
    fn log_likelihood(&self) -> LogLikelihood {
        let phi = self.prevalence.probability();
        let shift = |effect: &Effect| {
            let odds_ratio = effect.odds_ratio.odds_ratio();
            let own = if self.present { effect.odds_ratio.mean } else { 0.0 };
            (effect.condition, own - (phi * (odds_ratio - 1.0)).ln_1p())
        };
        LogLikelihood::Shifts(self.effects.iter().map(shift).collect())
    }
}

/// The evidence of a case: findings in the order of the knowledge base, then risk factors.
pub(super) fn of_case<'k>(knowledge: &'k KnowledgeBase, case: &Case) -> Vec<Evidence<'k>> {
    let weights = dependence_weights(knowledge, case);
    let observed = case.observations.iter().filter_map(|observation| {
        let finding = &knowledge.findings[observation.finding];
        let leak = &finding.leak_at(case.age)?.rate;
        Some(Evidence::Observed(Observed {
            finding: observation.finding,
            cluster: finding.cluster,
            present: observation.present,
            weight: weights.get(&observation.finding).copied().unwrap_or(1.0),
            leak,
            causes: causes(finding, leak, case),
        }))
    });
    let exposed = case.exposures.iter().map(|exposure| {
        let factor = &knowledge.risk_factors[exposure.risk_factor];
        Evidence::Exposed(Exposed {
            risk_factor: exposure.risk_factor,
            present: exposure.present,
            prevalence: &factor.prevalence,
            effects: &factor.effects,
        })
    });
    observed.chain(exposed).collect()
}

fn causes<'k>(finding: &'k Finding, leak: &Parameter, case: &Case) -> Vec<(usize, &'k Parameter)> {
    let above = finding.links_at(case.age).filter(|link| link.sensitivity.mean > leak.mean);
    above.map(|link| (link.condition, &link.sensitivity)).collect()
}

/// The dependence weight of each observed finding of a cluster. Members are taken by falling strength; the j-th weighs
/// K(j) - K(j - 1) with K(j) = j / (1 + (j - 1) rho), the effective number of j equally correlated results (Kish 1965).
fn dependence_weights(knowledge: &KnowledgeBase, case: &Case) -> BTreeMap<usize, f64> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for observation in &case.observations {
        if let Some(cluster) = knowledge.findings[observation.finding].cluster {
            members.entry(cluster).or_default().push(observation.finding);
        }
    }
    let mut weights = BTreeMap::new();
    for (cluster, mut findings) in members {
        let strength = |finding: usize| knowledge.findings[finding].strength;
        findings.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
        let rho = knowledge.clusters[cluster].rho;
        let mut before = (0.0, 0.0);
        for finding in findings {
            let count: f64 = before.0 + 1.0;
            let effective = count / (1.0 + (count - 1.0) * rho);
            weights.insert(finding, effective - before.1);
            before = (count, effective);
        }
    }
    weights
}
