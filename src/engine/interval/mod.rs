//! Credible intervals from the parameters' uncertainty.
//!
//! First order (delta method) on the log-odds scale: the variance of a number is the sum, over all parameters, of its total
//! derivative squared times the parameter's variance. A derivative of an expectation is a covariance with the derivative of
//! the log weight; that of a stated number passes through the re-solved calibration. Sums run over the most probable sets
//! and those of rare events.

pub(super) mod heel;

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::assess;
use super::calibration::Calibration;
use super::complaint::Reading;
use super::enumeration::is_several;
use super::evidence::{Evidence, Exposed, Observed};
use super::influence::{Influence, ParameterId};
use super::support::{KEPT, LikelySet, ROUNDING, likely_sets};
use crate::domain::{CredibleLevel, Interval, Origin, expit, logit};
use heel::Heel;

/// Intervals of an assessment's numbers, in the order of the knowledge base and of [`Origin::ALL`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Intervals {
    pub(super) origin_likelihood: [Interval; 4],
    /// Without meaning when there are no weights.
    pub(super) origin_weight: [Interval; 4],
    pub(super) present: Vec<Interval>,
}

/// Number of outputs before the conditions': four likelihoods and four weights.
const ORIGIN_OUTPUTS: usize = 8;

/// A number for each output: origin likelihoods, origin weights, presence of each condition.
type Outputs = Vec<f64>;

/// The intervals of a reading.
pub(super) fn intervals(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
    reading: &Reading,
    level: CredibleLevel,
) -> Intervals {
    let likelihoods: Vec<_> = evidence.iter().map(Evidence::log_likelihood).collect();
    let weights = assess::weights(origins, calibration, &likelihoods, 1.0);
    let sets = likely_sets(&weights, &calibration.complaint, Some(reading), KEPT);
    let variance = Derivatives::new(origins, calibration, &sets).variance(evidence);
    let quantile = Normal::standard().inverse_cdf(f64::midpoint(1.0, level.get()));
    let interval = |value: f64, output: usize| {
        let spread = value * (1.0 - value);
        let deviation = quantile * variance[output].sqrt() / spread;
        if !(spread > 0.0 && deviation.is_finite() && 1.0 - value > ROUNDING) {
            return Interval { lower: value, upper: value, level };
        }
        let end = |by: f64| expit(logit(value) + by);
        Interval { lower: end(-deviation).min(value), upper: end(deviation).max(value), level }
    };
    let origin_weight = reading.origin_weight.unwrap_or([0.0; 4]);
    Intervals {
        origin_likelihood: Origin::ALL
            .map(|o| interval(reading.origin_likelihood[o.index()], o.index())),
        origin_weight: Origin::ALL.map(|o| interval(origin_weight[o.index()], 4 + o.index())),
        present: (reading.present.iter().zip(ORIGIN_OUTPUTS..))
            .map(|(present, output)| interval(*present, output))
            .collect(),
    }
}

/// The change of each origin's weight, or likelihood when there are no weights, with one standard deviation of every parameter.
pub(super) fn influences(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
) -> Vec<Influence> {
    let likelihoods: Vec<_> = evidence.iter().map(Evidence::log_likelihood).collect();
    let weights = assess::weights(origins, calibration, &likelihoods, 1.0);
    let sets = likely_sets(&weights, &calibration.complaint, None, KEPT);
    let first = if calibration.complaint.present { 4 } else { 0 };
    let mut influences = Vec::new();
    let derivatives = Derivatives::new(origins, calibration, &sets);
    derivatives.each(evidence, &mut |parameter, gradient, variance| {
        let change = std::array::from_fn(|origin| gradient[first + origin] * variance.sqrt());
        influences.push(Influence { parameter, change });
    });
    influences
}

/// Derivatives of all outputs.
#[derive(Debug)]
struct Derivatives<'a> {
    calibration: &'a Calibration,
    sets: &'a [LikelySet],
    /// For each set its probability times the outputs' deviations from their means.
    centred: Vec<Outputs>,
    /// With the log odds of each condition.
    log_odds: Vec<Outputs>,
    /// With the logarithm of each pair's factor.
    pairs: Vec<Outputs>,
    /// With the logarithm of the coexistence factor.
    coexistence: Outputs,
    /// With the log odds of the leak, and of each condition's link to heel pain.
    heel: Heel,
}

impl<'a> Derivatives<'a> {
    fn new(origins: &[Origin], calibration: &'a Calibration, sets: &'a [LikelySet]) -> Self {
        let (centred, heel) = heel::outputs(origins, &calibration.complaint, sets);
        let count = ORIGIN_OUTPUTS + origins.len();
        let over = |holds: &dyn Fn(&LikelySet) -> bool| {
            let mut sum = vec![0.0; count];
            for (set, centred) in sets.iter().zip(&centred) {
                if holds(set) {
                    add(&mut sum, 1.0, centred);
                }
            }
            sum
        };
        let holds = |set: &LikelySet, condition: usize| set.members >> condition & 1 == 1;
        let pattern = |set: &LikelySet| {
            set.conditions().fold(0, |pattern, c| pattern | 1usize << origins[c].index())
        };
        let pairs = calibration.pairs.iter();
        Self {
            log_odds: (0..origins.len()).map(|c| over(&|set| holds(set, c))).collect(),
            pairs: pairs.map(|&(a, b, _)| over(&|set| holds(set, a) && holds(set, b))).collect(),
            coexistence: over(&|set| is_several(pattern(set))),
            centred,
            heel,
            calibration,
            sets,
        }
    }

    /// Variance of each output, on its own scale.
    fn variance(&self, evidence: &[Evidence<'_>]) -> Outputs {
        let mut variance = vec![0.0; self.coexistence.len()];
        self.each(evidence, &mut |_, gradient, parameter| {
            for (variance, slope) in variance.iter_mut().zip(gradient) {
                *variance += slope * slope * parameter;
            }
        });
        variance
    }

    /// Calls `count` with every parameter, the outputs' derivatives and the parameter's variance.
    fn each(&self, evidence: &[Evidence<'_>], count: &mut impl FnMut(ParameterId, &Outputs, f64)) {
        self.stated(count);
        for evidence in evidence {
            match evidence {
                Evidence::Observed(observed) => self.observed(observed, count),
                Evidence::Exposed(exposed) => self.exposed(exposed, count),
            }
        }
    }

    fn zero(&self) -> Outputs {
        vec![0.0; self.coexistence.len()]
    }

    /// Prevalences, pairs, coexistence and unexplained share, and the links to heel pain.
    fn stated(&self, count: &mut impl FnMut(ParameterId, &Outputs, f64)) {
        let leak = self.calibration.complaint.present.then_some(&self.heel.leak);
        let solved = self.log_odds.iter().chain(&self.pairs).chain([&self.coexistence]).chain(leak);
        let solved: Vec<&Outputs> = solved.collect();
        for (column, stated) in self.calibration.stated.iter().enumerate() {
            let mut gradient =
                stated.link.map_or_else(|| self.zero(), |c| self.heel.links[c].clone());
            for (row, solved) in solved.iter().enumerate() {
                add(&mut gradient, self.calibration.slopes[(row, column)], solved);
            }
            count(stated.parameter, &gradient, stated.variance);
        }
        if !self.calibration.complaint.present {
            let links = self.heel.links.iter().zip(&self.calibration.link_variances);
            for (condition, (gradient, variance)) in links.enumerate() {
                count(ParameterId::Reach(condition), gradient, *variance);
            }
        }
    }

    fn observed(&self, observed: &Observed, count: &mut impl FnMut(ParameterId, &Outputs, f64)) {
        if observed.present && observed.causes.len() > 1 {
            self.table(observed, count);
            return;
        }
        let leak = observed.leak.probability;
        let mut with_leak = self.zero();
        for cause in &observed.causes {
            let sensitivity = cause.sensitivity.probability;
            let (of_link, of_leak) = if observed.present {
                (1.0 - sensitivity, leak - 1.0)
            } else {
                (-sensitivity, leak)
            };
            let mut gradient = self.zero();
            add(&mut gradient, cause.weight * of_link, &self.log_odds[cause.condition]);
            count(observed.sensitivity_of(cause), &gradient, cause.sensitivity.variance);
            add(&mut with_leak, cause.weight * of_leak, &self.log_odds[cause.condition]);
        }
        count(ParameterId::Leak(observed.finding), &with_leak, observed.leak.variance);
    }

    /// A present finding of several causes: `weight * ln((1 - q) / leak)`, with q the chance of its absence in the set.
    fn table(&self, observed: &Observed, count: &mut impl FnMut(ParameterId, &Outputs, f64)) {
        let leak = observed.leak.probability;
        let mut with_leak = self.zero();
        let mut with_links = vec![self.zero(); observed.causes.len()];
        for (set, centred) in self.sets.iter().zip(&self.centred) {
            let holds = |cause: usize| set.members >> observed.causes[cause].condition & 1 == 1;
            let (absent, weight) = observed.in_set(holds);
            let odds = weight * absent / (1.0 - absent);
            let mut others = 1.0;
            for cause in (0..observed.causes.len()).filter(|&cause| holds(cause)) {
                let sensitivity = observed.causes[cause].sensitivity.probability;
                add(&mut with_links[cause], odds * sensitivity, centred);
                others -= 1.0;
            }
            add(&mut with_leak, odds * leak * others - weight * (1.0 - leak), centred);
        }
        count(ParameterId::Leak(observed.finding), &with_leak, observed.leak.variance);
        for (cause, gradient) in observed.causes.iter().zip(&with_links) {
            count(observed.sensitivity_of(cause), gradient, cause.sensitivity.variance);
        }
    }

    fn exposed(&self, exposed: &Exposed<'_>, count: &mut impl FnMut(ParameterId, &Outputs, f64)) {
        let phi = exposed.prevalence.probability();
        let mut with_prevalence = self.zero();
        for effect in exposed.effects {
            let odds_ratio = effect.odds_ratio.odds_ratio();
            let normaliser = 1.0 + phi * (odds_ratio - 1.0);
            let own = f64::from(u8::from(exposed.present));
            let mut gradient = self.zero();
            let slope = own - phi * odds_ratio / normaliser;
            add(&mut gradient, slope, &self.log_odds[effect.condition]);
            let id = ParameterId::OddsRatio(exposed.risk_factor, effect.condition);
            count(id, &gradient, effect.odds_ratio.variance);
            let slope = -(odds_ratio - 1.0) * phi * (1.0 - phi) / normaliser;
            add(&mut with_prevalence, slope, &self.log_odds[effect.condition]);
        }
        let id = ParameterId::Exposure(exposed.risk_factor);
        count(id, &with_prevalence, exposed.prevalence.variance);
    }
}

fn add(sum: &mut Outputs, by: f64, outputs: &Outputs) {
    for (sum, output) in sum.iter_mut().zip(outputs) {
        *sum += by * output;
    }
}
