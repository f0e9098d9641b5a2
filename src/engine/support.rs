//! The most probable sets of conditions, one by one.

use super::complaint::{Complaint, Reading};
use super::enumeration::{Joint, Weights, coupled};
use crate::domain::Origin;

/// Posterior mass that the sets of an answer's intervals hold at least.
pub(super) const KEPT: f64 = 0.999;
/// Share of each rare event's mass that they hold at least.
const KEPT_OF_RARE: f64 = 0.9;
/// Probability below which an event is rare. What the other sets leave out, 0.001, is a tenth of it: they hold as large a share of
/// every event that is not rare.
const RARE: f64 = 0.01;
/// Smallest complement of a probability near 1 that rounding leaves meaningful.
pub(super) const ROUNDING: f64 = 1e-12;

/// A set of conditions, as bits, with its probability among the listed ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LikelySet {
    pub(super) members: u32,
    pub(super) probability: f64,
}

impl LikelySet {
    /// The conditions in the set, ascending.
    pub(super) fn conditions(self) -> impl Iterator<Item = usize> {
        let held = move |condition: &u32| self.members >> condition & 1 == 1;
        (0..u32::BITS).filter(held).map(|condition| condition as usize)
    }
}

/// That all of some conditions are present, or that none of them is.
#[derive(Debug, Clone, Copy)]
struct Event {
    members: u32,
    present: bool,
    probability: f64,
}

impl Event {
    /// The presence and absence of each condition and the absence of each origin, where that is rare.
    fn rare(origins: &[Origin], reading: &Reading) -> impl Iterator<Item = Self> {
        let conditions = reading.present.iter().enumerate().flat_map(|(condition, &present)| {
            let event =
                |present, probability| Self { members: 1 << condition, present, probability };
            [event(true, present), event(false, 1.0 - present)]
        });
        let absent = Origin::ALL.into_iter().map(|origin| {
            let own = origins.iter().enumerate().filter(move |(_, other)| **other == origin);
            let members = own.fold(0, |members, (condition, _)| members | 1 << condition);
            let probability = 1.0 - reading.origin_present[origin.index()];
            Self { members, present: false, probability }
        });
        let smallest = |event: &Self| if event.present { 0.0 } else { ROUNDING };
        let is_rare = move |event: &Self| (smallest(event)..RARE).contains(&event.probability);
        conditions.chain(absent).filter(is_rare)
    }

    /// Whether a set in which `condition` is present, or is not, can be of the event.
    const fn allows(self, condition: usize, present: bool) -> bool {
        self.members >> condition & 1 == 0 || present == self.present
    }
}

/// Sets that together hold at least `kept` of the posterior mass and, with a reading, [`KEPT_OF_RARE`] of that of every rare
/// event, with probabilities that sum to 1. Without the latter a number near 0 or 1 would seem to hang on no parameter.
pub(super) fn likely_sets(
    weights: &Weights<'_>,
    complaint: &Complaint,
    reading: Option<&Reading>,
    kept: f64,
) -> Vec<LikelySet> {
    let joint = Joint::new(weights, coupled(weights));
    let nodes = nodes(&joint, weights, complaint);
    let total: f64 = nodes.iter().map(|node| node.mass).sum();
    let certain = Event { members: 0, present: false, probability: 1.0 };
    let listing = |event, wanted| {
        Listing { joint: &joint, weights, complaint, event, threshold: 0.0, sets: Vec::new() }
            .holding(&nodes, wanted)
    };
    let mut sets = listing(certain, kept * total);
    for event in reading.into_iter().flat_map(|reading| Event::rare(weights.origins, reading)) {
        sets.extend(listing(event, KEPT_OF_RARE * event.probability * total));
    }
    sets.sort_by_key(|set| set.members);
    sets.dedup_by_key(|set| set.members);
    let listed: f64 = sets.iter().map(|set| set.probability).sum();
    let share = |set: LikelySet| LikelySet { probability: set.probability / listed, ..set };
    sets.into_iter().map(share).collect()
}

/// What was decided of a set, and the mass of all sets below it.
#[derive(Debug, Clone, Copy)]
struct Node {
    members: u32,
    pattern: usize,
    whole: f64,
    silent: f64,
    mass: f64,
}

/// One node for every set of the coupled conditions.
fn nodes(joint: &Joint<'_>, weights: &Weights<'_>, complaint: &Complaint) -> Vec<Node> {
    let root = Node { members: 0, pattern: 0, whole: 1.0, silent: 1.0, mass: 0.0 };
    let mut nodes = vec![root];
    for &condition in &joint.coupled {
        let (absent, _) = weights.absent_present[condition];
        let with: Vec<Node> =
            nodes.iter().map(|node| with(joint, weights, node, condition)).collect();
        for node in &mut nodes {
            *node = scaled(node, absent);
        }
        nodes.extend(with);
    }
    for (node, product) in nodes.iter_mut().zip(&joint.product()) {
        *node = scaled(node, *product);
        let tail = &joint.tail[node.pattern];
        let whole = node.whole * Complaint::whole(tail);
        node.mass = complaint.mass_of(whole, node.silent * Complaint::silent(tail));
    }
    nodes
}

fn scaled(node: &Node, by: f64) -> Node {
    Node { whole: node.whole * by, silent: node.silent * by, ..*node }
}

fn with(joint: &Joint<'_>, weights: &Weights<'_>, node: &Node, condition: usize) -> Node {
    let lanes = joint.presence(condition);
    Node {
        members: node.members | 1 << condition,
        pattern: node.pattern | 1 << weights.origins[condition].index(),
        whole: node.whole * Complaint::whole(&lanes),
        silent: node.silent * Complaint::silent(&lanes),
        mass: node.mass,
    }
}

/// Lists the sets of an event that are above a threshold.
#[derive(Debug)]
struct Listing<'a, 'w> {
    joint: &'a Joint<'w>,
    weights: &'a Weights<'w>,
    complaint: &'a Complaint,
    event: Event,
    threshold: f64,
    sets: Vec<LikelySet>,
}

impl Listing<'_, '_> {
    /// Sets of the event that hold the wanted mass.
    fn holding(mut self, nodes: &[Node], wanted: f64) -> Vec<LikelySet> {
        self.threshold = wanted * 1e-3;
        loop {
            self.sets.clear();
            let Self { threshold, event, .. } = self;
            for node in nodes.iter().filter(|node| node.mass >= threshold) {
                let allows = |&c: &usize| event.allows(c, node.members >> c & 1 == 1);
                if self.joint.coupled.iter().all(allows) {
                    self.expand(0, node);
                }
            }
            if self.sets.iter().map(|set| set.probability).sum::<f64>() >= wanted {
                return self.sets;
            }
            self.threshold /= 4.0;
        }
    }

    /// Decides the free conditions from `position` on.
    fn expand(&mut self, position: usize, node: &Node) {
        let Some(&condition) = self.joint.free.get(position) else {
            let mass = self.joint.coexistence(node.pattern)
                * self.complaint.mass_of(node.whole, node.silent);
            if mass >= self.threshold {
                self.sets.push(LikelySet { members: node.members, probability: mass });
            }
            return;
        };
        // Weights of presence and absence are at most 1, so what is below never weighs more than the node with them summed.
        let rest = self.joint.free[position..].iter().map(|&free| {
            let (absent, _) = self.weights.absent_present[free];
            absent + Complaint::whole(&self.joint.presence(free))
        });
        let (lone, several) = self.weights.coexistence;
        if node.whole * rest.product::<f64>() * lone.max(several) < self.threshold {
            return;
        }
        let (absent, _) = self.weights.absent_present[condition];
        if self.event.allows(condition, false) {
            self.expand(position + 1, &scaled(node, absent));
        }
        if self.event.allows(condition, true) {
            self.expand(position + 1, &with(self.joint, self.weights, node, condition));
        }
    }
}
