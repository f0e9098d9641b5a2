//! Exact sums over all sets of conditions.
//!
//! A set S weighs the product of its members' odds, of the factors (tables over a few conditions) and of the coexistence
//! factor on sets that touch two or more origins. Heel pain multiplies it by `1 - (1 - leak) * product of (1 - link)`,
//! which is a difference of two products, as are the numerators of every likelihood and weight. A product over S only
//! rescales the odds, so one pass sums all of them side by side, one rescaling in each *lane* (the Quickscore identity,
//! Heckerman 1990).
//!
//! Only conditions that stand together in a factor are enumerated. The others are independent given the pattern of origins,
//! and fold into one number for each of the sixteen patterns.

use crate::domain::Origin;

/// Number of rescalings summed side by side.
pub(super) const LANES: usize = 16;

/// One number for each lane.
pub(super) type Lanes = [f64; LANES];

/// Patterns of origins: bit o is set when origin o is present.
pub(super) const PATTERNS: usize = 16;

/// Low bits of a set's number, whose entries are looked up in one table and those of the others in a second one.
const ROW_BITS: usize = 4;

/// A table over a few conditions: entry i holds for the set whose j-th condition is present when bit j of i is set.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    pub(super) conditions: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// Weights of the sets that are summed.
#[derive(Debug, Clone)]
pub(super) struct Weights<'a> {
    /// Origin of each condition.
    pub(super) origins: &'a [Origin],
    /// Weight of a condition's absence and presence; only their ratio matters.
    pub(super) absent_present: Vec<(f64, f64)>,
    /// Rescaling of each condition's presence in each lane.
    pub(super) damping: &'a [Lanes],
    /// Weight of sets of at most one origin, and of two or more.
    pub(super) coexistence: (f64, f64),
    /// Tables.
    pub(super) factors: Vec<Factor>,
}

/// Sums over all sets.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// Sum over the sets of each pattern of origins.
    pub(super) patterns: [Lanes; PATTERNS],
    /// Sum over the sets that hold each condition.
    pub(super) conditions: Vec<Lanes>,
}

impl Sums {
    /// Sum over all sets.
    pub(super) fn total(&self) -> Lanes {
        self.patterns.iter().fold([0.0; LANES], add)
    }
}

/// Whether a pattern has two or more origins.
pub(super) const fn is_several(pattern: usize) -> bool {
    pattern.count_ones() >= 2
}

/// The weights of absence and presence for log odds, scaled so that the larger is 1 and neither overflows.
pub(super) fn absent_present(log_odds: f64) -> (f64, f64) {
    if log_odds > 0.0 { ((-log_odds).exp(), 1.0) } else { (1.0, log_odds.exp()) }
}

/// Sums the weights of all sets.
pub(super) fn sums(weights: &Weights<'_>) -> Sums {
    let joint = Joint::new(weights, coupled(weights));
    let mut walk = Walk {
        joint: &joint,
        product: joint.product(),
        steps: joint.coupled.iter().map(|&condition| joint.step(condition)).collect(),
        by_pattern: [[0.0; LANES]; PATTERNS],
        present: vec![[0.0; LANES]; joint.coupled.len()],
    };
    walk.descend(joint.coupled.len(), 0, &[1.0; LANES], 0);
    let Walk { by_pattern, present, .. } = walk;
    let mut conditions = vec![[0.0; LANES]; weights.origins.len()];
    for (&condition, lanes) in joint.coupled.iter().zip(present) {
        conditions[condition] = lanes;
    }
    for &condition in &joint.free {
        conditions[condition] = joint.sum_with_free(&by_pattern, condition);
    }
    Sums { patterns: joint.complete(&by_pattern), conditions }
}

/// The coupled conditions enumerated, the free ones folded.
#[derive(Debug)]
pub(super) struct Joint<'a> {
    weights: &'a Weights<'a>,
    /// Conditions that stand together in a factor; position j is bit j of a set's number.
    pub(super) coupled: Vec<usize>,
    /// All other conditions.
    pub(super) free: Vec<usize>,
    /// For each pattern of the coupled conditions, the sum over the free ones.
    pub(super) tail: [Lanes; PATTERNS],
}

/// The conditions that stand together in a factor.
pub(super) fn coupled(weights: &Weights<'_>) -> Vec<usize> {
    let uses = |condition: usize| {
        weights.factors.iter().filter(|factor| factor.conditions.contains(&condition)).count()
    };
    let count = weights.origins.len();
    let mut coupled: Vec<usize> = (0..count).filter(|&condition| uses(condition) > 0).collect();
    // A factor is multiplied in once its last condition is there: busy conditions first keeps that early and cheap.
    coupled.sort_by_key(|&condition| (usize::MAX - uses(condition), condition));
    coupled
}

impl<'a> Joint<'a> {
    /// Enumerates `coupled` together, which must hold the conditions of every factor, and folds the others.
    pub(super) fn new(weights: &'a Weights<'a>, coupled: Vec<usize>) -> Self {
        let all = 0..weights.origins.len();
        let free: Vec<usize> = all.filter(|condition| !coupled.contains(condition)).collect();
        let mut joint = Self { weights, coupled, free, tail: [[0.0; LANES]; PATTERNS] };
        let free = Free::new(&joint.free_ends(None), None);
        joint.tail = std::array::from_fn(|pattern| joint.fold(pattern, &free));
        joint
    }

    /// Product of the factors for every set of the coupled conditions.
    pub(super) fn product(&self) -> Vec<f64> {
        let mut product = vec![1.0];
        for last in 0..self.coupled.len() {
            product.extend_from_within(..);
            for factor in &self.weights.factors {
                let positions = positions(factor, &self.coupled);
                if positions.iter().max() == Some(&last) {
                    let values = values(factor, &self.coupled, product.len());
                    product.iter_mut().zip(values).for_each(|(product, value)| *product *= value);
                }
            }
        }
        product
    }

    /// Presence of a condition in each lane.
    pub(super) fn presence(&self, condition: usize) -> Lanes {
        scale(self.weights.absent_present[condition].1, &self.weights.damping[condition])
    }

    fn step(&self, condition: usize) -> Step {
        let origin = 1 << self.weights.origins[condition].index();
        (origin, self.weights.absent_present[condition].0, self.presence(condition))
    }

    /// For each origin, the sums over its free conditions: none present, and some present. `except` is left out.
    fn free_ends(&self, except: Option<usize>) -> [(f64, Lanes); 4] {
        let mut ends = [(1.0, [1.0; LANES]); 4];
        for &condition in self.free.iter().filter(|&&condition| Some(condition) != except) {
            let (absent, _) = self.weights.absent_present[condition];
            let (none, all) = &mut ends[self.weights.origins[condition].index()];
            *none *= absent;
            *all = multiply(*all, &self.presence(condition).map(|present| absent + present));
        }
        ends.map(|(none, all)| (none, all.map(|all| all - none)))
    }

    /// Sum over the free conditions for a pattern of the others.
    fn fold(&self, pattern: usize, free: &Free) -> Lanes {
        let (lone, several) = self.weights.coexistence;
        if is_several(pattern) {
            return scale(several, &free.total);
        }
        let mut sums = [[0.0; LANES]; 2];
        for (own, lanes) in free.patterns.iter().enumerate() {
            let sum = &mut sums[usize::from(is_several(pattern | own))];
            *sum = add(*sum, lanes);
        }
        add(scale(lone, &sums[0]), &scale(several, &sums[1]))
    }

    /// The coexistence factor of a pattern.
    pub(super) const fn coexistence(&self, pattern: usize) -> f64 {
        let (lone, several) = self.weights.coexistence;
        if is_several(pattern) { several } else { lone }
    }

    /// Sum over all sets that hold a free condition.
    pub(super) fn sum_with_free(&self, by_pattern: &[Lanes; PATTERNS], condition: usize) -> Lanes {
        let origin = self.weights.origins[condition];
        let free = Free::new(&self.free_ends(Some(condition)), Some(origin));
        let mut sum = [0.0; LANES];
        for (pattern, lanes) in by_pattern.iter().enumerate() {
            let tail = self.fold(pattern | 1 << origin.index(), &free);
            sum = add(sum, &multiply(tail, lanes));
        }
        multiply(sum, &self.presence(condition))
    }

    /// From sums by the coupled conditions' pattern to sums by the whole pattern.
    fn complete(&self, by_pattern: &[Lanes; PATTERNS]) -> [Lanes; PATTERNS] {
        let free = Free::new(&self.free_ends(None), None);
        let mut whole = [[0.0; LANES]; PATTERNS];
        for (own, product) in free.patterns.iter().enumerate() {
            for (pattern, lanes) in by_pattern.iter().enumerate() {
                let both = pattern | own;
                let weighed = scale(self.coexistence(both), &multiply(*product, lanes));
                whole[both] = add(whole[both], &weighed);
            }
        }
        whole
    }
}

/// Sums over the free conditions.
#[derive(Debug)]
struct Free {
    /// Over the sets that make exactly each pattern.
    patterns: [Lanes; PATTERNS],
    /// Over all sets.
    total: Lanes,
}

impl Free {
    /// From the sums of each origin: none of its free conditions present, and some. With `whole`, that origin's free
    /// conditions count without distinction, in the patterns without it.
    fn new(ends: &[(f64, Lanes); 4], whole: Option<Origin>) -> Self {
        let patterns = std::array::from_fn(|pattern| {
            Origin::ALL.into_iter().fold([1.0; LANES], |product, origin| {
                let (none, some) = &ends[origin.index()];
                match (pattern >> origin.index() & 1 == 1, whole == Some(origin)) {
                    (false, false) => scale(*none, &product),
                    (false, true) => multiply(product, &some.map(|some| some + none)),
                    (true, false) => multiply(product, some),
                    (true, true) => [0.0; LANES],
                }
            })
        });
        Self { total: patterns.iter().fold([0.0; LANES], add), patterns }
    }
}

/// A coupled condition on the walk: the bit of its origin, and the weights of its absence and presence.
type Step = (usize, f64, Lanes);

/// Walks the sets of coupled conditions depth first.
#[derive(Debug)]
struct Walk<'j, 'w> {
    joint: &'j Joint<'w>,
    product: Vec<f64>,
    steps: Vec<Step>,
    by_pattern: [Lanes; PATTERNS],
    present: Vec<Lanes>,
}

impl Walk<'_, '_> {
    /// Sum below a node: `depth` conditions are still open, `set` and `lanes` are what was decided.
    fn descend(&mut self, depth: usize, set: usize, lanes: &Lanes, pattern: usize) -> Lanes {
        let Some(position) = depth.checked_sub(1) else {
            let leaf = scale(self.product[set], lanes);
            self.by_pattern[pattern] = add(self.by_pattern[pattern], &leaf);
            return multiply(leaf, &self.joint.tail[pattern]);
        };
        let (origin, absent, present) = self.steps[position];
        let with = multiply(present, lanes);
        let with = self.descend(position, set | 1 << position, &with, pattern | origin);
        self.present[position] = add(self.present[position], &with);
        if absent > 0.0 {
            add(self.descend(position, set, &scale(absent, lanes), pattern), &with)
        } else {
            with
        }
    }
}

/// Positions of a factor's conditions among the coupled ones.
pub(super) fn positions(factor: &Factor, coupled: &[usize]) -> Vec<usize> {
    let position = |condition: &usize| coupled.iter().position(|other| other == condition);
    factor.conditions.iter().filter_map(position).collect()
}

/// The factor's value for each of the first `sets` sets of the coupled conditions.
pub(super) fn values<'f>(
    factor: &'f Factor,
    coupled: &[usize],
    sets: usize,
) -> impl Iterator<Item = f64> + use<'f> {
    let positions = positions(factor, coupled);
    let width = sets.min(1 << ROW_BITS);
    let low: Vec<usize> = (0..width).map(|set| entry(set, &positions)).collect();
    let high: Vec<usize> = (0..sets).step_by(width).map(|set| entry(set, &positions)).collect();
    (0..sets).map(move |set| factor.values[high[set >> ROW_BITS] | low[set & (width - 1)]])
}

/// The factor's entry for a set of coupled conditions.
pub(super) fn entry(set: usize, positions: &[usize]) -> usize {
    let bit = |entry, (bit, position): (usize, &usize)| entry | (set >> position & 1) << bit;
    positions.iter().enumerate().fold(0, bit)
}

pub(super) fn add(mut a: Lanes, b: &Lanes) -> Lanes {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
    a
}

pub(super) fn multiply(mut a: Lanes, b: &Lanes) -> Lanes {
    for (a, b) in a.iter_mut().zip(b) {
        *a *= b;
    }
    a
}

pub(super) fn scale(by: f64, lanes: &Lanes) -> Lanes {
    lanes.map(|lane| by * lane)
}
