//! The most probable sets of conditions, one by one.

use super::complaint::Complaint;
use super::enumeration::{Joint, Weights, coupled};

/// Posterior mass that the listed sets hold at least.
const KEPT: f64 = 0.999;

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

/// Sets that together hold at least [`KEPT`] of the posterior mass, with probabilities that sum to 1.
pub(super) fn likely_sets(weights: &Weights<'_>, complaint: &Complaint) -> Vec<LikelySet> {
    let joint = Joint::new(weights, coupled(weights));
    let nodes = nodes(&joint, weights, complaint);
    let total: f64 = nodes.iter().map(|node| node.mass).sum();
    let mut threshold = total * 1e-3;
    loop {
        let mut listing =
            Listing { joint: &joint, weights, complaint, threshold, sets: Vec::new() };
        for node in nodes.iter().filter(|node| node.mass >= threshold) {
            listing.expand(0, node);
        }
        let kept: f64 = listing.sets.iter().map(|set| set.probability).sum();
        if kept >= KEPT * total {
            let share = |set: LikelySet| LikelySet { probability: set.probability / kept, ..set };
            return listing.sets.into_iter().map(share).collect();
        }
        threshold /= 4.0;
    }
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

/// Lists the sets above a threshold.
#[derive(Debug)]
struct Listing<'a, 'w> {
    joint: &'a Joint<'w>,
    weights: &'a Weights<'w>,
    complaint: &'a Complaint,
    threshold: f64,
    sets: Vec<LikelySet>,
}

impl Listing<'_, '_> {
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
        self.expand(position + 1, &scaled(node, absent));
        self.expand(position + 1, &with(self.joint, self.weights, node, condition));
    }
}
