//! Contributions: how much each unit of evidence moved each origin.
//!
//! With all evidence raised to the power t, the log odds of "the origin contributes" run from pretest (t = 0) to posterior
//! (t = 1), and their slope is a sum over the evidence: the expected log likelihood where the origin contributes less that
//! where it does not. A unit's contribution is its part integrated over t (Aumann and Shapley 1974), so the parts add up.

use std::array;
use std::collections::BTreeMap;

use super::assess;
use super::calibration::Calibration;
use super::complaint::{OUTCOMES, Reading, gauss_legendre};
use super::enumeration::{
    Joint, LANES, Lanes, PATTERNS, Weights, absent_present, add, coupled, multiply, values,
};
use super::evidence::{Evidence, LogLikelihood};
use super::rates::rates;
use crate::domain::{ConditionEvidence, Contribution, Origin, Unit, logit};

/// Numbers of quadrature nodes, tried in turn until the parts add up.
const NODES: [usize; 4] = [8, 16, 32, 64];
/// Largest accepted difference between the sum of the parts and the shift, in nats.
const TOLERANCE: f64 = 1e-4;

/// One number for each origin.
type ByOrigin = [f64; 4];

/// The contributions of all units, largest first.
pub(super) fn contributions(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
    (pretest, posterior): (&Reading, &Reading),
) -> Vec<Contribution> {
    let likelihoods: Vec<LogLikelihood> = evidence.iter().map(Evidence::log_likelihood).collect();
    let path = Path::new(origins, calibration, &likelihoods);
    let log_odds = |reading: &Reading| reading.origin_likelihood.map(logit);
    let (before, after) = (log_odds(pretest), log_odds(posterior));
    let adds_up = |difference: &Difference| {
        let movement = path.movement(difference);
        (0..4).all(|o| (movement[o] - (after[o] - before[o])).abs() < TOLERANCE)
    };
    let mut difference = Difference::default();
    for count in NODES {
        difference = path.difference(count);
        if adds_up(&difference) {
            break;
        }
    }
    let parts: Vec<ByOrigin> =
        likelihoods.iter().map(|likelihood| path.part(&difference, likelihood)).collect();
    by_unit(evidence, &parts, rates(origins, calibration, evidence))
}

/// From pretest to posterior: the sets of coupled conditions before any evidence, and what all evidence says of them.
#[derive(Debug)]
struct Path<'a> {
    calibration: &'a Calibration,
    /// Weights before any evidence.
    prior: Weights<'a>,
    coupled: Vec<usize>,
    /// Pattern of origins of each set of the coupled conditions, and its weight before any evidence.
    sets: Vec<(usize, [f64; OUTCOMES])>,
    /// Log likelihood of each set of the coupled conditions, less the largest.
    log_likelihood: Vec<f64>,
    /// Sum of the shifts of each condition's log odds.
    shifts: Vec<f64>,
}

/// Integrated over the path: the probability given that an origin contributes, less that given that it does not.
#[derive(Debug, Default)]
struct Difference {
    /// Of each set of the coupled conditions.
    sets: Vec<ByOrigin>,
    /// Of the presence of each condition.
    conditions: Vec<ByOrigin>,
}

impl<'a> Path<'a> {
    fn new(
        origins: &'a [Origin],
        calibration: &'a Calibration,
        likelihoods: &[LogLikelihood],
    ) -> Self {
        let coupled = coupled(&assess::weights(origins, calibration, likelihoods, 0.0));
        let prior = assess::weights(origins, calibration, &[], 1.0);
        let mut shifts = vec![0.0; origins.len()];
        let mut log_likelihood = vec![0.0; 1 << coupled.len()];
        for likelihood in likelihoods {
            match likelihood {
                LogLikelihood::Shifts(own) => {
                    for (condition, shift) in own {
                        shifts[*condition] += shift;
                    }
                }
                LogLikelihood::Table(table) => {
                    let values = values(table, &coupled, log_likelihood.len());
                    log_likelihood.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
        }
        for (position, &condition) in coupled.iter().enumerate() {
            let holding = holding(&mut log_likelihood, position);
            holding.for_each(|sum| *sum += shifts[condition]);
        }
        let largest = log_likelihood.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for sum in &mut log_likelihood {
            *sum -= largest;
        }
        let sets = sets(&Joint::new(&prior, coupled.clone()), &prior);
        Self { calibration, prior, coupled, sets, log_likelihood, shifts }
    }

    /// The rule with `count` nodes.
    fn difference(&self, count: usize) -> Difference {
        let mut sum = Difference {
            sets: vec![[0.0; 4]; self.sets.len()],
            conditions: vec![[0.0; 4]; self.shifts.len()],
        };
        for (t, weight) in gauss_legendre(count) {
            self.add_node(&mut sum, t, weight);
        }
        for (position, &condition) in self.coupled.iter().enumerate() {
            let present = holding(&mut sum.sets, position);
            sum.conditions[condition] = present.fold([0.0; 4], |sum, own| plus(sum, own, 1.0));
        }
        sum
    }

    /// Adds the differences with all evidence raised to the power `t`.
    fn add_node(&self, sum: &mut Difference, t: f64, weight: f64) {
        let complaint = &self.calibration.complaint;
        let log_odds = self.calibration.log_odds.iter().zip(&self.shifts);
        let weights = Weights {
            absent_present: log_odds.map(|(own, shift)| absent_present(own + t * shift)).collect(),
            factors: Vec::new(),
            ..self.prior.clone()
        };
        let joint = Joint::new(&weights, self.coupled.clone());
        let powers: Vec<f64> = self.log_likelihood.iter().map(|log| (t * log).exp()).collect();
        let mut by_pattern = [[0.0; LANES]; PATTERNS];
        for ((pattern, lanes), power) in self.sets.iter().zip(&powers) {
            for (sum, lane) in by_pattern[*pattern].iter_mut().zip(lanes) {
                *sum += power * lane;
            }
        }
        let total = (0..PATTERNS).fold([0.0; LANES], |total, pattern| {
            add(total, &multiply(by_pattern[pattern], &joint.tail[pattern]))
        });
        let given = Origin::ALL.map(|origin| complaint.contributes(&total, origin));
        let difference = |lanes: &Lanes| {
            array::from_fn(|origin| {
                let (part, rest) = complaint.contributes(lanes, Origin::ALL[origin]);
                weight * (part / given[origin].0 - rest / given[origin].1)
            })
        };
        for &condition in &joint.free {
            let own = difference(&joint.sum_with_free(&by_pattern, condition));
            sum.conditions[condition] = plus(sum.conditions[condition], &own, 1.0);
        }
        let by_lane: [[ByOrigin; OUTCOMES]; PATTERNS] = joint.tail.map(|tail| {
            array::from_fn(|lane| {
                let mut alone = [0.0; LANES];
                alone[lane] = tail[lane];
                difference(&alone)
            })
        });
        for ((sum, (pattern, lanes)), power) in sum.sets.iter_mut().zip(&self.sets).zip(&powers) {
            for (own, lane) in by_lane[*pattern].iter().zip(lanes) {
                *sum = plus(*sum, own, power * lane);
            }
        }
    }

    /// How far all evidence together moves each origin's log odds.
    fn movement(&self, difference: &Difference) -> ByOrigin {
        let of_sets = self.log_likelihood.iter().zip(&difference.sets);
        let free = (0..self.shifts.len()).filter(|condition| !self.coupled.contains(condition));
        let of_free =
            free.map(|condition| (&self.shifts[condition], &difference.conditions[condition]));
        of_sets.chain(of_free).fold([0.0; 4], |sum, (log, own)| plus(sum, own, *log))
    }

    /// How far one piece of evidence moves each origin's log odds.
    fn part(&self, difference: &Difference, likelihood: &LogLikelihood) -> ByOrigin {
        match likelihood {
            LogLikelihood::Shifts(shifts) => {
                shifts.iter().fold([0.0; 4], |sum, (condition, shift)| {
                    plus(sum, &difference.conditions[*condition], *shift)
                })
            }
            LogLikelihood::Table(table) => values(table, &self.coupled, difference.sets.len())
                .zip(&difference.sets)
                .fold([0.0; 4], |sum, (log, own)| plus(sum, own, log)),
        }
    }
}

/// The pattern of origins and the weight of every set of the coupled conditions, the free ones left out.
fn sets(joint: &Joint<'_>, weights: &Weights<'_>) -> Vec<(usize, [f64; OUTCOMES])> {
    let mut sets = vec![(0, [1.0; OUTCOMES])];
    for &condition in &joint.coupled {
        let (absent, _) = weights.absent_present[condition];
        let presence = joint.presence(condition);
        let origin = 1 << weights.origins[condition].index();
        let with = |(pattern, lanes): &(usize, [f64; OUTCOMES])| {
            (pattern | origin, array::from_fn(|lane| lanes[lane] * presence[lane]))
        };
        let with: Vec<_> = sets.iter().map(with).collect();
        for (_, lanes) in &mut sets {
            *lanes = lanes.map(|lane| lane * absent);
        }
        sets.extend(with);
    }
    for ((_, lanes), product) in sets.iter_mut().zip(joint.product()) {
        *lanes = lanes.map(|lane| lane * product);
    }
    sets
}

/// The items of the sets that hold the coupled condition at a position.
fn holding<T>(items: &mut [T], position: usize) -> impl Iterator<Item = &mut T> {
    items.chunks_exact_mut(2 << position).flat_map(move |chunk| &mut chunk[1 << position..])
}

fn plus(mut sum: ByOrigin, own: &ByOrigin, times: f64) -> ByOrigin {
    for (sum, own) in sum.iter_mut().zip(own) {
        *sum += times * own;
    }
    sum
}

/// Evidence gathered by unit, largest movement first.
fn by_unit(
    evidence: &[Evidence<'_>],
    parts: &[[f64; 4]],
    rates: Vec<Vec<ConditionEvidence>>,
) -> Vec<Contribution> {
    let mut units: BTreeMap<Unit, Contribution> = BTreeMap::new();
    for ((evidence, part), conditions) in evidence.iter().zip(parts).zip(rates) {
        let unit = evidence.unit();
        let empty =
            Contribution { unit, findings: Vec::new(), nats: [0.0; 4], conditions: Vec::new() };
        let contribution = units.entry(unit).or_insert(empty);
        contribution.conditions.extend(conditions);
        if let Evidence::Observed(observed) = evidence {
            contribution.findings.extend(&observed.sent);
        }
        for (sum, part) in contribution.nats.iter_mut().zip(part) {
            *sum += part;
        }
    }
    let largest = |contribution: &Contribution| {
        contribution.nats.iter().fold(0.0f64, |largest, nats| largest.max(nats.abs()))
    };
    let mut contributions: Vec<Contribution> = units.into_values().collect();
    contributions.sort_by(|a, b| largest(b).total_cmp(&largest(a)));
    contributions
}
