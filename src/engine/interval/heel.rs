//! The outputs of each set, and how they change with the parameters of heel pain themselves.

use super::super::complaint::Complaint;
use super::super::support::LikelySet;
use super::{ORIGIN_OUTPUTS, Outputs, add};
use crate::domain::Origin;

/// Derivatives of all outputs with the parameters of heel pain, by their direct way: not through the calibration.
#[derive(Debug, Default)]
pub(super) struct Heel {
    /// With the log odds of the leak.
    pub(super) leak: Outputs,
    /// With the log odds of each condition's link.
    pub(super) links: Vec<Outputs>,
}

/// For each set its probability times the outputs' deviations from their means; and the derivatives.
pub(super) fn outputs(
    origins: &[Origin],
    complaint: &Complaint,
    sets: &[LikelySet],
) -> (Vec<Outputs>, Heel) {
    let count = ORIGIN_OUTPUTS + origins.len();
    let shares: Vec<Shares> =
        sets.iter().map(|set| Shares::new(origins, complaint, *set)).collect();
    let values: Vec<Outputs> =
        sets.iter().zip(&shares).map(|(set, shares)| outputs_of(*set, shares, count)).collect();
    let mut mean = vec![0.0; count];
    for (set, values) in sets.iter().zip(&values) {
        add(&mut mean, set.probability, values);
    }
    let centred = sets.iter().zip(values).map(|(set, values)| {
        let deviation =
            values.iter().zip(&mean).map(|(value, mean)| set.probability * (value - mean));
        deviation.collect()
    });
    let centred: Vec<Outputs> = centred.collect();
    let heel = derivatives(complaint, sets, &shares, (&mean, &centred));
    (centred, heel)
}

/// The outputs of one set that are about origins.
pub(in crate::engine) fn origins_of(
    origins: &[Origin],
    complaint: &Complaint,
    set: LikelySet,
) -> [f64; ORIGIN_OUTPUTS] {
    let shares = Shares::new(origins, complaint, set);
    shares.numerators.map(|numerator| numerator / shares.heel_pain)
}

fn outputs_of(set: LikelySet, shares: &Shares, count: usize) -> Outputs {
    let mut outputs = vec![0.0; count];
    for (output, numerator) in outputs.iter_mut().zip(shares.numerators) {
        *output = numerator / shares.heel_pain;
    }
    for condition in set.conditions() {
        outputs[ORIGIN_OUTPUTS + condition] = 1.0;
    }
    outputs
}

/// An output is a sum of set weights times a numerator, over a sum of set weights times the chance of heel pain; both the
/// numerator and the chance depend on the links and the leak.
fn derivatives(
    complaint: &Complaint,
    sets: &[LikelySet],
    shares: &[Shares],
    (mean, centred): (&Outputs, &[Outputs]),
) -> Heel {
    let mut heel = Heel {
        leak: vec![0.0; mean.len()],
        links: vec![vec![0.0; mean.len()]; complaint.links.len()],
    };
    for ((set, shares), centred) in sets.iter().zip(shares).zip(centred) {
        if !complaint.present {
            for condition in set.conditions() {
                add(&mut heel.links[condition], -complaint.links[condition], centred);
            }
            continue;
        }
        let probability = set.probability / shares.heel_pain;
        let leak = complaint.leak;
        let change = |into: &mut Outputs, slope: &Slope, scale: f64| {
            for output in 0..ORIGIN_OUTPUTS {
                let own = slope.numerators[output] - mean[output] * slope.heel_pain;
                into[output] += probability * scale * own;
            }
            // Presence has the chance of heel pain itself as its numerator.
            let by = scale * slope.heel_pain / shares.heel_pain;
            for output in ORIGIN_OUTPUTS..into.len() {
                into[output] += by * centred[output];
            }
        };
        change(&mut heel.leak, &shares.leak, leak * (1.0 - leak));
        for (condition, slope) in &shares.links {
            let link = complaint.links[*condition];
            change(&mut heel.links[*condition], slope, link * (1.0 - link));
        }
    }
    heel
}

/// A derivative of a set's chance of heel pain and of its numerators.
#[derive(Debug, Clone, Copy, Default)]
struct Slope {
    heel_pain: f64,
    numerators: [f64; ORIGIN_OUTPUTS],
}

/// One set's chance of heel pain, and the numerators of the origins' likelihoods and weights.
#[derive(Debug)]
struct Shares {
    heel_pain: f64,
    numerators: [f64; ORIGIN_OUTPUTS],
    leak: Slope,
    links: Vec<(usize, Slope)>,
}

impl Shares {
    fn new(origins: &[Origin], complaint: &Complaint, set: LikelySet) -> Self {
        let members: Vec<(usize, usize, f64)> =
            set.conditions().map(|c| (c, origins[c].index(), complaint.links[c])).collect();
        let links = members.iter().map(|(condition, ..)| (*condition, Slope::default())).collect();
        let mut shares = Self {
            heel_pain: 1.0,
            numerators: [0.0; ORIGIN_OUTPUTS],
            leak: Slope::default(),
            links,
        };
        if !complaint.present {
            for (_, origin, _) in members {
                shares.numerators[origin] = 1.0;
            }
            return shares;
        }
        shares.likelihoods(complaint.leak, &members);
        for (t, weight) in complaint.nodes {
            shares.node(complaint.leak, &members, 1.0 - t, weight);
        }
        shares
    }

    fn likelihoods(&mut self, leak: f64, members: &[(usize, usize, f64)]) {
        let silent: f64 = members.iter().map(|(_, _, link)| 1.0 - link).product();
        self.heel_pain = 1.0 - (1.0 - leak) * silent;
        self.leak.heel_pain = silent;
        for origin in 0..4 {
            let own = members.iter().filter(|(_, other, _)| *other == origin);
            let silent: f64 = own.map(|(_, _, link)| 1.0 - link).product();
            self.numerators[origin] = 1.0 - silent;
            for ((_, other, link), (_, slope)) in members.iter().zip(&mut self.links) {
                if *other == origin {
                    slope.numerators[origin] = silent / (1.0 - link);
                }
            }
        }
        for ((_, _, link), (_, slope)) in members.iter().zip(&mut self.links) {
            slope.heel_pain = (1.0 - leak) * silent / (1.0 - link);
        }
    }

    /// One node of the weights' quadrature, `left` being 1 - t.
    fn node(&mut self, leak: f64, members: &[(usize, usize, f64)], left: f64, weight: f64) {
        let product: f64 = members.iter().map(|(_, _, link)| 1.0 - link * left).product();
        let by = weight * (1.0 - leak * left) * product;
        let mut share = [0.0; 4];
        for (_, origin, link) in members {
            share[*origin] += link / (1.0 - link * left);
        }
        for (origin, share) in share.iter().enumerate() {
            self.numerators[4 + origin] += by * share;
            self.leak.numerators[4 + origin] -= weight * left * product * share;
        }
        for ((_, own, link), (_, slope)) in members.iter().zip(&mut self.links) {
            let kept = 1.0 - link * left;
            for (origin, share) in share.iter().enumerate() {
                let others = if origin == *own { share - link / kept } else { *share };
                let direct = if origin == *own { 1.0 } else { 0.0 };
                slope.numerators[4 + origin] += by / kept * (direct - left * others);
            }
        }
    }
}
