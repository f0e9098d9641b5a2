//! The presenting complaint as rescalings of the odds, and what is read off the sums.
//!
//! With heel pain the weight of a set S carries `h(S) = 1 - (1 - leak) * product over S of (1 - link)`. Every number of an
//! answer is a sum of set weights times h, or times something that h divides:
//!
//! - present: h;
//! - contributes: `1 - product over the origin's members of (1 - link)`;
//! - share of c: `link_c * integral of (1 - leak (1 - t)) * product over the other members of (1 - link (1 - t)) dt`, the
//!   Shapley share of the causes at work, the leak being one of them (ten-point Gauss-Legendre, exact for up to 19
//!   conditions, since the integrand is a polynomial).

use std::array;
use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;

use super::enumeration::{LANES, Lanes, PATTERNS, Sums, is_several};
use crate::domain::Origin;

/// Lane without heel pain's rescaling; without the complaint, the lane of everything.
const WHOLE: usize = 0;
/// Lane in which no member is felt at the heel.
const SILENT: usize = 1;
/// First of the four lanes in which one origin does not contribute.
const WITHOUT: usize = 2;
/// First of the ten lanes of the share's quadrature.
const NODES: usize = 6;
/// Number of lanes, the first ones, that tell which origins contribute.
pub(super) const OUTCOMES: usize = NODES;

/// How heel pain enters the sums.
#[derive(Debug, Clone)]
pub(super) struct Complaint {
    /// Whether there is heel pain.
    pub(super) present: bool,
    /// Chance of each condition, when present, to be felt at the heel.
    pub(super) links: Vec<f64>,
    /// Chance of heel pain from none of the conditions; 0 without the complaint.
    pub(super) leak: f64,
    /// Rescaling of each condition's presence in each lane.
    pub(super) damping: Vec<Lanes>,
    /// Nodes and weights of the share's quadrature.
    pub(super) nodes: [(f64, f64); LANES - NODES],
    /// Weight of the silent lane, to be taken from the whole.
    silent: f64,
}

impl Complaint {
    /// Heel pain is present.
    pub(super) fn present(origins: &[Origin], links: Vec<f64>, leak: f64) -> Self {
        let nodes = nodes();
        let damping = origins.iter().zip(&links).map(|(origin, link)| {
            array::from_fn(|lane| match lane {
                WHOLE => 1.0,
                SILENT => 1.0 - link,
                WITHOUT..NODES if origin.index() == lane - WITHOUT => 1.0 - link,
                WITHOUT..NODES => 1.0,
                _ => 1.0 - link * (1.0 - nodes[lane - NODES].0),
            })
        });
        Self { present: true, damping: damping.collect(), silent: 1.0 - leak, links, leak, nodes }
    }

    /// Heel pain is absent, which counts against each condition by its link. An origin "contributes" when it is present.
    pub(super) fn absent(origins: &[Origin], links: Vec<f64>) -> Self {
        let damping = origins.iter().zip(&links).map(|(origin, link)| {
            array::from_fn(|lane| match lane {
                WITHOUT..NODES if origin.index() == lane - WITHOUT => 0.0,
                _ => 1.0 - link,
            })
        });
        let damping = damping.collect();
        Self { present: false, damping, silent: 0.0, links, leak: 0.0, nodes: nodes() }
    }

    /// Weight of sets by presence: whole less silent.
    pub(super) fn mass(&self, lanes: &Lanes) -> f64 {
        self.mass_of(lanes[WHOLE], lanes[SILENT])
    }

    /// Weight of sets by presence, from the whole and the silent lane.
    pub(super) const fn mass_of(&self, whole: f64, silent: f64) -> f64 {
        whole - self.silent * silent
    }

    /// Weight of sets in which an origin contributes, and of those in which it does not.
    pub(super) fn contributes(&self, lanes: &Lanes, origin: Origin) -> (f64, f64) {
        let without = lanes[WITHOUT + origin.index()];
        (lanes[WHOLE] - without, without - self.silent * lanes[SILENT])
    }

    /// Weight of sets in which one condition contributes, from the sums over the sets that hold it.
    pub(super) fn condition_contributes(&self, lanes: &Lanes, condition: usize) -> f64 {
        if self.present { self.links[condition] * lanes[WHOLE] } else { lanes[WHOLE] }
    }

    /// Weight of the share of one condition, from the sums over the sets that hold it.
    pub(super) fn condition_share(&self, lanes: &Lanes, condition: usize) -> f64 {
        let link = self.links[condition];
        let at = |(node, (t, weight)): (usize, &(f64, f64))| {
            let left = 1.0 - t;
            weight * (1.0 - self.leak * left) * lanes[NODES + node] / (1.0 - link * left)
        };
        link * self.nodes.iter().enumerate().map(at).sum::<f64>()
    }

    /// Weight of the leak's share per unit of leak: the integral without the leak's own factor.
    pub(super) fn leak_share(&self, total: &Lanes) -> f64 {
        self.nodes.iter().enumerate().map(|(node, (_, weight))| weight * total[NODES + node]).sum()
    }

    /// Change of the leak's share per unit of leak with one condition's link, from the sums over the sets that hold it.
    pub(super) fn leak_share_slope(&self, lanes: &Lanes, condition: usize) -> f64 {
        let link = self.links[condition];
        let at = |(node, (t, weight)): (usize, &(f64, f64))| {
            -weight * (1.0 - t) * lanes[NODES + node] / (1.0 - link * (1.0 - t))
        };
        self.nodes.iter().enumerate().map(at).sum()
    }

    /// The silent lane.
    pub(super) const fn silent(lanes: &Lanes) -> f64 {
        lanes[SILENT]
    }

    /// The whole lane.
    pub(super) const fn whole(lanes: &Lanes) -> f64 {
        lanes[WHOLE]
    }
}

fn nodes() -> [(f64, f64); LANES - NODES] {
    let rule = gauss_legendre(10);
    array::from_fn(|node| rule[node])
}

/// Nodes and weights of the Gauss-Legendre rule on [0, 1] with `count` points, exact for polynomials up to degree
/// `2 * count - 1`.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let rule = GaussLegendre::new(NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
    let moved = |(node, weight): &(f64, f64)| (f64::midpoint(1.0, *node), weight / 2.0);
    rule.as_node_weight_pairs().iter().map(moved).collect()
}

/// Probabilities and shares, exact for one problem. Conditions in the order of the knowledge base, origins in that of
/// [`Origin::ALL`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) present: Vec<f64>,
    pub(super) likelihood: Vec<f64>,
    pub(super) weight: Option<Vec<f64>>,
    pub(super) unexplained: Option<f64>,
    pub(super) origin_likelihood: [f64; 4],
    pub(super) origin_weight: Option<[f64; 4]>,
    pub(super) single_origin: [f64; 4],
    pub(super) several_origins: f64,
    /// Probability that a condition of each origin is present.
    pub(super) origin_present: [f64; 4],
}

impl Reading {
    pub(super) fn new(sums: &Sums, complaint: &Complaint, origins: &[Origin]) -> Self {
        let total = sums.total();
        let mass = complaint.mass(&total);
        let each = |weight: &dyn Fn(&Lanes, usize) -> f64| -> Vec<f64> {
            let read = |(condition, lanes)| weight(lanes, condition) / mass;
            sums.conditions.iter().enumerate().map(read).collect()
        };
        let weight =
            complaint.present.then(|| each(&|lanes, c| complaint.condition_share(lanes, c)));
        let origin_weight = weight.as_ref().map(|weight| {
            Origin::ALL.map(|origin| {
                let own = origins.iter().zip(weight).filter(|(other, _)| **other == origin);
                own.map(|(_, weight)| weight).sum()
            })
        });
        let pattern = |pattern: usize| complaint.mass(&sums.patterns[pattern]);
        let single = Origin::ALL.map(|origin| pattern(1 << origin.index()));
        let lone: f64 = single.iter().sum();
        let several: f64 = (0..PATTERNS).filter(|&p| is_several(p)).map(pattern).sum();
        Self {
            present: each(&|lanes, _| complaint.mass(lanes)),
            likelihood: each(&|lanes, c| complaint.condition_contributes(lanes, c)),
            weight,
            unexplained: complaint
                .present
                .then(|| complaint.leak * complaint.leak_share(&total) / mass),
            origin_likelihood: Origin::ALL.map(|o| complaint.contributes(&total, o).0 / mass),
            origin_weight,
            single_origin: single.map(|weight| weight / lone),
            several_origins: several / mass,
            origin_present: Origin::ALL.map(|origin| {
                let holds = |p: &usize| p >> origin.index() & 1 == 1;
                (0..PATTERNS).filter(holds).map(pattern).sum::<f64>() / mass
            }),
        }
    }

    /// What origins are ordered by.
    pub(super) fn rank(&self) -> [f64; 4] {
        self.origin_weight.unwrap_or(self.single_origin)
    }
}
