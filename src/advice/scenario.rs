//! A case over its most probable sets of conditions, and how they weigh when one finding is other than it was sent.

use std::collections::BTreeMap;

use crate::domain::{Case, Complaint, Observation, Origin, Unit};
use crate::engine::{self, Breadth, Model, Outlook, World};

/// A case with what its evidence says of each probable set.
pub(super) struct Scenario<'a> {
    pub(super) model: &'a Model,
    pub(super) case: &'a Case,
    pub(super) worlds: Vec<World>,
    /// For each unit of evidence its log likelihood in each world.
    pub(super) units: BTreeMap<Unit, Vec<f64>>,
}

impl<'a> Scenario<'a> {
    pub(super) fn new(model: &'a Model, case: &'a Case, breadth: Breadth) -> Self {
        let worlds = engine::worlds(model, case, breadth);
        let mut units: BTreeMap<Unit, Vec<f64>> = BTreeMap::new();
        for statement in engine::statements(model, case) {
            let sum = units.entry(statement.unit).or_insert_with(|| vec![0.0; worlds.len()]);
            for (sum, world) in sum.iter_mut().zip(&worlds) {
                *sum += statement.says(world.members);
            }
        }
        Self { model, case, worlds, units }
    }

    /// The unit of evidence that a finding belongs to.
    fn unit(&self, finding: usize) -> Unit {
        let findings = &self.model.knowledge().findings;
        let whole = findings[finding].part_of.unwrap_or(finding);
        findings[whole].cluster.map_or(Unit::Finding(whole), Unit::Cluster)
    }

    /// Probabilities of the worlds, were a finding present, absent or not sent.
    pub(super) fn probabilities(&self, finding: usize, state: Option<bool>) -> Vec<f64> {
        let unit = self.unit(finding);
        // Only the findings of the same unit share weights with it.
        let mut altered = altered(self.case, finding, state);
        altered.observations.retain(|observation| self.unit(observation.finding) == unit);
        altered.exposures.clear();
        let statements = engine::statements(self.model, &altered);
        let before = self.units.get(&unit);
        let weight = |(index, world): (usize, &World)| {
            let after: f64 = statements.iter().map(|own| own.says(world.members)).sum();
            let before = before.map_or(0.0, |before| before[index]);
            world.probability * (after - before).exp()
        };
        let weights: Vec<f64> = self.worlds.iter().enumerate().map(weight).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    /// Where the worlds point with these probabilities.
    pub(super) fn outlook(&self, probabilities: &[f64]) -> Outlook {
        let (mut likelihood, mut weight) = ([0.0; 4], [0.0; 4]);
        for (world, probability) in self.worlds.iter().zip(probabilities) {
            for origin in 0..4 {
                likelihood[origin] += probability * world.likelihood[origin];
                weight[origin] += probability * world.weight[origin];
            }
        }
        let rank = if self.case.complaint == Complaint::Present { weight } else { likelihood };
        Outlook { likelihood, rank }
    }

    /// About the chance that a finding, as an examination alone, is present.
    pub(super) fn chance(&self, finding: usize) -> f64 {
        let statements = engine::statements(self.model, &alone(self.case, finding));
        let Some(own) = statements.first() else { return 0.0 };
        let chance =
            |world: &World| world.probability * own.background * own.says(world.members).exp();
        self.worlds.iter().map(chance).sum::<f64>().clamp(0.0, 1.0)
    }

    /// Where the worlds point as the case stands.
    pub(super) fn now(&self) -> Outlook {
        let probabilities: Vec<f64> = self.worlds.iter().map(|world| world.probability).collect();
        self.outlook(&probabilities)
    }
}

/// A case of which only a finding is known, as present.
pub(super) fn alone(case: &Case, finding: usize) -> Case {
    let observations = vec![Observation { finding, present: true }];
    Case { observations, exposures: Vec::new(), ..case.clone() }
}

/// A case in which a finding is present, absent or not sent.
pub(super) fn altered(case: &Case, finding: usize, state: Option<bool>) -> Case {
    let mut altered = case.clone();
    altered.observations.retain(|observation| observation.finding != finding);
    altered.observations.extend(state.map(|present| Observation { finding, present }));
    altered.observations.sort_by_key(|observation| observation.finding);
    altered
}

/// Information about four yes/no events when their probabilities move from `before` to `after`, in bits.
pub(super) fn information(before: &[f64; 4], after: &[f64; 4]) -> f64 {
    let term = |to: f64, from: f64| if to > 0.0 { to * (to / from).log2() } else { 0.0 };
    let event = |origin: Origin| {
        let (from, to) = (before[origin.index()], after[origin.index()]);
        term(to, from) + term(1.0 - to, 1.0 - from)
    };
    Origin::ALL.into_iter().map(event).sum::<f64>().max(0.0)
}
