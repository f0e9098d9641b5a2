//! What a case says of the conditions: a log likelihood for every finding, a log odds shift for every risk factor.

use std::collections::BTreeMap;

use super::composite;
use super::enumeration::Factor;
use super::influence::ParameterId;
use crate::domain::{Case, Unit};
use crate::knowledge::{Effect, Finding, KnowledgeBase, Link, Parameter};

/// One piece of evidence.
#[derive(Debug, Clone)]
pub(super) enum Evidence<'k> {
    /// A finding.
    Observed(Observed),
    /// A risk factor.
    Exposed(Exposed<'k>),
}

/// A finding with the numbers that hold for the patient.
#[derive(Debug, Clone)]
pub(super) struct Observed {
    /// Index of the finding.
    pub(super) finding: usize,
    /// Indices of the findings that were sent for it: itself, or the parts of a composite.
    pub(super) sent: Vec<usize>,
    /// Its cluster.
    pub(super) cluster: Option<usize>,
    /// Present, or looked for and absent.
    pub(super) present: bool,
    /// Its leak.
    pub(super) leak: Rate,
    /// Its causes: the conditions linked above the leak, ascending.
    pub(super) causes: Vec<Cause>,
}

/// A cause of a finding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    /// Index of the condition.
    pub(super) condition: usize,
    /// Chance of the finding from this condition alone.
    pub(super) sensitivity: Rate,
    /// Dependence weight of the finding for this condition, in [0, 1].
    pub(super) weight: f64,
}

/// A probability with the variance of its log odds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) probability: f64,
    pub(super) variance: f64,
}

impl From<Parameter> for Rate {
    fn from(parameter: Parameter) -> Self {
        Self { probability: parameter.probability(), variance: parameter.variance }
    }
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

    /// Its log likelihood ratio for each condition alone, and its dependence weight for that condition.
    pub(super) fn log_ratios(&self) -> Vec<(usize, f64, f64)> {
        match self {
            Self::Observed(observed) => {
                let ratio =
                    |cause: &Cause| (cause.condition, observed.log_ratio(cause), cause.weight);
                observed.causes.iter().map(ratio).collect()
            }
            Self::Exposed(exposed) => {
                exposed.shifts().into_iter().map(|(condition, log)| (condition, log, 1.0)).collect()
            }
        }
    }

    /// What it says of the conditions.
    pub(super) fn log_likelihood(&self) -> LogLikelihood {
        match self {
            Self::Observed(observed) => observed.log_likelihood(),
            Self::Exposed(exposed) => LogLikelihood::Shifts(exposed.shifts()),
        }
    }
}

impl Observed {
    /// Weighted log likelihood ratio of the finding in a set S against no condition at all, with P(absent | S) = (1 - leak) *
    /// product over the causes in S of (1 - sensitivity) / (1 - leak). An absent finding, or one of a single cause, shifts
    /// log odds; else it takes a table over its causes.
    pub(super) fn log_likelihood(&self) -> LogLikelihood {
        if !self.is_joint() {
            return LogLikelihood::Shifts(self.shifts());
        }
        let value = |set: usize| self.log_likelihood_in(|cause| set >> cause & 1 == 1);
        LogLikelihood::Table(Factor {
            conditions: self.causes.iter().map(|cause| cause.condition).collect(),
            values: (0..1 << self.causes.len()).map(value).collect(),
        })
    }

    /// Shift of the log odds by each cause, where they do not stand together.
    pub(super) fn shifts(&self) -> Vec<(usize, f64)> {
        let shift = |cause: &Cause| (cause.condition, cause.weight * self.log_ratio(cause));
        self.causes.iter().map(shift).collect()
    }

    /// Whether its causes stand together: present, and of two or more.
    pub(super) const fn is_joint(&self) -> bool {
        self.present && self.causes.len() > 1
    }

    /// The entry of the table for the set that holds the causes at some positions.
    pub(super) fn log_likelihood_in(&self, holds: impl Fn(usize) -> bool) -> f64 {
        let (absent, weight) = self.in_set(holds);
        weight * ((1.0 - absent) / self.leak.probability).ln()
    }

    /// The parameter that is a cause's sensitivity.
    pub(super) const fn sensitivity_of(&self, cause: &Cause) -> ParameterId {
        ParameterId::Sensitivity(self.finding, cause.condition)
    }

    /// Log likelihood ratio of what was found for one cause alone.
    fn log_ratio(&self, cause: &Cause) -> f64 {
        let (leak, sensitivity) = (self.leak.probability, cause.sensitivity.probability);
        if self.present {
            (sensitivity / leak).ln()
        } else {
            ((1.0 - sensitivity) / (1.0 - leak)).ln()
        }
    }

    /// Chance of the finding's absence in a set, and its weight there: that of the most sensitive cause present.
    pub(super) fn in_set(&self, holds: impl Fn(usize) -> bool) -> (f64, f64) {
        let leak = self.leak.probability;
        let (mut absent, mut weight, mut most) = (1.0 - leak, 0.0, 0.0);
        for (_, cause) in self.causes.iter().enumerate().filter(|(position, _)| holds(*position)) {
            let sensitivity = cause.sensitivity.probability;
            absent *= (1.0 - sensitivity) / (1.0 - leak);
            if sensitivity > most {
                (weight, most) = (cause.weight, sensitivity);
            }
        }
        (absent, weight)
    }
}

impl Exposed<'_> {
    /// Shift of the log odds: OR / (1 + phi (OR - 1)) when present, 1 / (1 + phi (OR - 1)) when absent, phi being the risk
    /// factor's prevalence, so that the average over heel-pain patients stays near the prevalence of the setting.
    pub(super) fn shifts(&self) -> Vec<(usize, f64)> {
        let phi = self.prevalence.probability();
        let shift = |effect: &Effect| {
            let odds_ratio = effect.odds_ratio.odds_ratio();
            let own = if self.present { effect.odds_ratio.mean } else { 0.0 };
            (effect.condition, own - (phi * (odds_ratio - 1.0)).ln_1p())
        };
        self.effects.iter().map(shift).collect()
    }
}

/// The evidence of a case: findings in the order of the knowledge base, then risk factors.
pub(super) fn of_case<'k>(knowledge: &'k KnowledgeBase, case: &Case) -> Vec<Evidence<'k>> {
    let mut observed: Vec<Observed> = case
        .observations
        .iter()
        .filter_map(|observation| {
            let finding = &knowledge.findings[observation.finding];
            // A part counts through its composite, which knows how the parts go together.
            if !finding.parts.is_empty() || finding.part_of.is_some() {
                return None;
            }
            let leak = finding.leak_at(case.age)?.rate;
            Some(Observed {
                finding: observation.finding,
                sent: vec![observation.finding],
                cluster: finding.cluster,
                present: observation.present,
                leak: leak.into(),
                causes: causes(finding, leak, case),
            })
        })
        .chain(composite::of_case(knowledge, case))
        .collect();
    weigh_dependence(knowledge, &mut observed);
    let exposed = case.exposures.iter().map(|exposure| {
        let factor = &knowledge.risk_factors[exposure.risk_factor];
        Evidence::Exposed(Exposed {
            risk_factor: exposure.risk_factor,
            present: exposure.present,
            prevalence: &factor.prevalence,
            effects: &factor.effects,
        })
    });
    observed.into_iter().map(Evidence::Observed).chain(exposed).collect()
}

fn causes(finding: &Finding, leak: Parameter, case: &Case) -> Vec<Cause> {
    let above = finding.links_at(case.age).filter(|link| link.sensitivity.mean > leak.mean);
    let of_link = |link: &Link| Cause {
        condition: link.condition,
        sensitivity: link.sensitivity.into(),
        weight: 1.0,
    };
    above.map(of_link).collect()
}

/// The strength of a result for one condition, the position of the finding and that of the cause in it.
type Member = (f64, usize, usize);

/// Sets the dependence weights of clustered findings. For each condition the observed members of a cluster that link it are
/// taken by falling size of the log likelihood ratio, the positive ones and the negative ones each among themselves; the j-th
/// weighs K(j) - K(j - 1) with K(j) = j / (1 + (j - 1) rho), the effective number of j equally correlated results (Kish 1965).
/// So a further agreeing result never weakens what its like say: it pushes weaker ones down by less than it brings. Results
/// that disagree are no repetition of each other: in one order, the loudest would come first in every pattern and count it too
/// high.
fn weigh_dependence(knowledge: &KnowledgeBase, observed: &mut [Observed]) {
    // By cluster, condition and result.
    let mut members: BTreeMap<(usize, usize, bool), Vec<Member>> = BTreeMap::new();
    for (position, finding) in observed.iter().enumerate() {
        let Some(cluster) = finding.cluster else { continue };
        for (cause, link) in finding.causes.iter().enumerate() {
            let strength = finding.log_ratio(link).abs();
            let key = (cluster, link.condition, finding.present);
            members.entry(key).or_default().push((strength, position, cause));
        }
    }
    for ((cluster, _, _), mut ranked) in members {
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let rho = knowledge.clusters[cluster].rho;
        let (mut count, mut before): (f64, f64) = (0.0, 0.0);
        for (_, position, cause) in ranked {
            count += 1.0;
            let effective = count / (1.0 + (count - 1.0) * rho);
            observed[position].causes[cause].weight = effective - before;
            before = effective;
        }
    }
}
