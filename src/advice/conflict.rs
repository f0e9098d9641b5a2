//! Whether the findings belong together.
//!
//! Jensen's measure (Jensen, Chamberlain, Nordahl and Jensen 1990): the logarithm of the product of the probabilities of each
//! unit of evidence alone over the probability of all together. Positive: they are seen together less often than if they had
//! nothing to do with each other.

use super::scenario::Scenario;
use crate::domain::{Case, Detail, Unit};
use crate::engine::{self, Breadth, Model, Statement};

/// Conflict, in nats, from which on a notice says so: e times rarer together than if they were unrelated. Of patients sampled
/// from the model none with 5 findings is above it, one in a hundred with 20, one in twenty with 40.
const NOTABLE: f64 = 1.0;

/// How far the findings speak against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Jensen's measure, in nats.
    pub nats: f64,
    /// Units that the rest of the evidence makes less likely than they are alone, with by how much, in nats; the largest first.
    pub units: Vec<(Unit, f64)>,
}

impl Conflict {
    /// Whether a notice should say so.
    pub(super) fn is_notable(&self) -> bool {
        self.nats > NOTABLE
    }
}

/// The conflict among the units of evidence of a case; `None` with fewer than two. Without `detail` one that is not notable is not told.
pub(super) fn conflict(model: &Model, case: &Case, detail: Detail) -> Option<Conflict> {
    let statements = engine::statements(model, case);
    let alone = alone(model, case, &statements);
    let product: f64 = alone.iter().map(|(_, log)| log).sum();
    let measured = || product - engine::log_evidence(model, case, &statements);
    let nats = (alone.len() >= 2).then(measured)?;
    let measured = Conflict { nats, units: Vec::new() };
    let is_told = detail == Detail::Full || measured.is_notable();
    is_told.then(|| Conflict { units: clashing(model, case, &alone), ..measured })
}

/// The units that clash with the others, the largest first.
fn clashing(model: &Model, case: &Case, alone: &[(Unit, f64)]) -> Vec<(Unit, f64)> {
    let scenario = Scenario::new(model, case, Breadth::Rare);
    let clash = |(unit, alone): &(Unit, f64)| {
        let says = &scenario.units[unit];
        // The chance of a unit given the others, from its posterior: one over the mean of one over its likelihood.
        let inverse =
            scenario.worlds.iter().zip(says).map(|(world, log)| world.probability * (-log).exp());
        (*unit, alone + inverse.sum::<f64>().ln())
    };
    let mut units: Vec<(Unit, f64)> = alone.iter().map(clash).filter(|(_, by)| *by > 0.0).collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units
}

/// Logarithm of the probability of each unit of evidence alone.
fn alone(model: &Model, case: &Case, statements: &[Statement]) -> Vec<(Unit, f64)> {
    let units = statements.chunk_by(|a, b| a.unit == b.unit);
    units.map(|unit| (unit[0].unit, engine::log_evidence(model, case, unit))).collect()
}
