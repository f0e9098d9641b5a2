//! Contributions: how much each unit of evidence moved each origin.
//!
//! With all evidence raised to the power t, the log odds of "the origin contributes" run from pretest (t = 0) to posterior
//! (t = 1), and their slope is a sum over the evidence: the expected log likelihood where the origin contributes less that
//! where it does not. A unit's contribution is its part integrated over t (Aumann and Shapley 1974), so the parts add up.

use std::collections::BTreeMap;

use super::assess;
use super::calibration::Calibration;
use super::complaint::{Complaint, Reading};
use super::enumeration::{
    Factor, Joint, LANES, Lanes, Sums, Weights, add, entry, multiply, positions, scale, sums,
};
use super::evidence::{Evidence, LogLikelihood};
use super::quadrature::gauss_legendre;
use crate::domain::{Contribution, Origin, Unit, logit};

/// Numbers of quadrature nodes, tried in turn until the parts add up.
const NODES: [u32; 4] = [8, 16, 32, 64];
/// Largest accepted difference between the sum of the parts and the shift, in nats.
const TOLERANCE: f64 = 1e-4;

/// The contributions of all units, largest first.
pub(super) fn contributions(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
    (pretest, posterior): (&Reading, &Reading),
) -> Vec<Contribution> {
    let likelihoods: Vec<LogLikelihood> = evidence.iter().map(Evidence::log_likelihood).collect();
    let shift = Origin::ALL.map(|origin| {
        let log_odds = |reading: &Reading| logit(reading.origin_likelihood[origin.index()]);
        log_odds(posterior) - log_odds(pretest)
    });
    let mut parts = Vec::new();
    for count in NODES {
        parts = integrate(origins, calibration, &likelihoods, count);
        let missed = |origin: usize| {
            let sum: f64 = parts.iter().map(|part| part[origin]).sum();
            (sum - shift[origin]).abs()
        };
        if (0..4).all(|origin| missed(origin) < TOLERANCE) {
            break;
        }
    }
    by_unit(evidence, &parts)
}

/// The contribution of each piece of evidence to each origin, in nats.
fn integrate(
    origins: &[Origin],
    calibration: &Calibration,
    likelihoods: &[LogLikelihood],
    count: u32,
) -> Vec<[f64; 4]> {
    let mut parts = vec![[0.0; 4]; likelihoods.len()];
    for (t, weight) in gauss_legendre(count) {
        let weights = assess::weights(origins, calibration, likelihoods, t);
        let slope = Slope::new(&weights, &calibration.complaint);
        for (part, likelihood) in parts.iter_mut().zip(likelihoods) {
            for origin in Origin::ALL {
                part[origin.index()] += weight * slope.of(likelihood, origin);
            }
        }
    }
    parts
}

/// Expected log likelihoods at one point of the path.
#[derive(Debug)]
struct Slope<'a> {
    complaint: &'a Complaint,
    sums: Sums,
    total: Lanes,
    coupled: Vec<usize>,
    leaves: Vec<Lanes>,
}

impl<'a> Slope<'a> {
    fn new(weights: &Weights<'_>, complaint: &'a Complaint) -> Self {
        let sums = sums(weights);
        let joint = Joint::new(weights);
        let leaves = leaves(&joint, weights);
        Self { complaint, total: sums.total(), sums, coupled: joint.coupled, leaves }
    }

    /// Expected log likelihood where the origin contributes, less that where it does not.
    fn of(&self, likelihood: &LogLikelihood, origin: Origin) -> f64 {
        let (with, without) = self.complaint.contributes(&self.total, origin);
        let difference = |lanes: &Lanes| {
            let (part, rest) = self.complaint.contributes(lanes, origin);
            part / with - rest / without
        };
        match likelihood {
            LogLikelihood::Shifts(shifts) => {
                let part = |(condition, shift): &(usize, f64)| {
                    shift * difference(&self.sums.conditions[*condition])
                };
                shifts.iter().map(part).sum()
            }
            LogLikelihood::Table(table) => {
                let local = self.local(table);
                let parts = local.iter().zip(&table.values);
                parts.map(|(lanes, log)| log * difference(lanes)).sum()
            }
        }
    }

    /// Sums over the sets by the entry of a table that holds for them.
    fn local(&self, table: &Factor) -> Vec<Lanes> {
        let positions = positions(table, &self.coupled);
        let mut local = vec![[0.0; LANES]; table.values.len()];
        for (set, lanes) in self.leaves.iter().enumerate() {
            let sum = &mut local[entry(set, &positions)];
            *sum = add(*sum, lanes);
        }
        local
    }
}

/// The weight of every set of coupled conditions, the free ones summed.
fn leaves(joint: &Joint<'_>, weights: &Weights<'_>) -> Vec<Lanes> {
    let mut leaves = vec![([1.0; LANES], 0)];
    for &condition in &joint.coupled {
        let (absent, _) = weights.absent_present[condition];
        let presence = joint.presence(condition);
        let origin = 1usize << weights.origins[condition].index();
        let with =
            |(lanes, pattern): &(Lanes, usize)| (multiply(*lanes, &presence), pattern | origin);
        let with: Vec<(Lanes, usize)> = leaves.iter().map(with).collect();
        for (lanes, _) in &mut leaves {
            *lanes = scale(absent, lanes);
        }
        leaves.extend(with);
    }
    let complete = |((lanes, pattern), product): ((Lanes, usize), &f64)| {
        scale(*product, &multiply(lanes, &joint.tail[pattern]))
    };
    leaves.into_iter().zip(&joint.product).map(complete).collect()
}

/// Evidence gathered by unit, largest movement first.
fn by_unit(evidence: &[Evidence<'_>], parts: &[[f64; 4]]) -> Vec<Contribution> {
    let mut units: BTreeMap<Unit, Contribution> = BTreeMap::new();
    for (evidence, part) in evidence.iter().zip(parts) {
        let unit = evidence.unit();
        let empty = Contribution { unit, findings: Vec::new(), nats: [0.0; 4] };
        let contribution = units.entry(unit).or_insert(empty);
        if let Evidence::Observed(observed) = evidence {
            contribution.findings.push(observed.finding);
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
