//! What the answer would be, were a case a little different: the exact outlook, and a quick one over the most probable sets.

use std::array;

use super::complaint::Reading;
use super::enumeration::sums;
use super::evidence::{self, Evidence, LogLikelihood, Observed};
use super::interval::heel;
use super::rates::Population;
use super::support::{KEPT, LikelySet, likely_sets};
use super::{Model, assess};
use crate::domain::{Case, Origin, Unit};

/// Where a case points, without intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Likelihood of each origin, in the order of [`Origin::ALL`].
    pub likelihood: [f64; 4],
    /// What origins are ordered by: weight, or single-origin probability where there are no weights.
    pub rank: [f64; 4],
}

impl Outlook {
    /// The leading origin.
    #[must_use]
    pub fn lead(&self) -> Origin {
        let rank = |origin: Origin| self.rank[origin.index()];
        let best = |a: Origin, b: Origin| if rank(b) > rank(a) { b } else { a };
        Origin::ALL.into_iter().fold(Origin::Spinal, best)
    }
}

/// The exact outlook of a case.
#[must_use]
pub fn outlook(model: &Model, case: &Case) -> Outlook {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let evidence = evidence::of_case(&model.knowledge, case);
    let reading = assess::reading(&model.origins, calibration, &evidence);
    Outlook { likelihood: reading.origin_likelihood, rank: reading.rank() }
}

/// Logarithm of the probability of some pieces of a case's evidence, up to a constant for each piece: sums over the same pieces
/// and differences between them mean something.
#[must_use]
pub fn log_evidence<'s>(
    model: &Model,
    case: &Case,
    statements: impl IntoIterator<Item = &'s Statement>,
) -> f64 {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let log = |own: &[LogLikelihood]| Population::new(&model.origins, calibration, own).log_mass();
    let own = statements.into_iter().map(Statement::likelihood);
    log(&own.collect::<Vec<_>>()) - log(&[])
}

/// A probable set of present conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The set, by bits.
    pub members: u32,
    /// Its posterior probability among the listed ones.
    pub probability: f64,
    /// Likelihood of each origin given the set.
    pub likelihood: [f64; 4],
    /// Weight of each origin given the set; without meaning where there are no weights.
    pub weight: [f64; 4],
}

/// Which sets are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// The most probable ones, which hold 99 % of the mass: for rankings by expectation.
    Likely,
    /// Those that hold 99.9 %, and nine tenths of the mass of every rare condition: for what a change of the case may bring to the
    /// fore.
    Rare,
}

/// The most probable sets of a case.
#[must_use]
pub fn worlds(model: &Model, case: &Case, breadth: Breadth) -> Vec<World> {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let evidence = evidence::of_case(&model.knowledge, case);
    let likelihoods: Vec<_> = evidence.iter().map(Evidence::log_likelihood).collect();
    let weights = assess::weights(&model.origins, calibration, &likelihoods, 1.0);
    let complaint = &calibration.complaint;
    let sets = match breadth {
        Breadth::Likely => likely_sets(&weights, complaint, None, 0.99),
        Breadth::Rare => {
            let reading = Reading::new(&sums(&weights), complaint, &model.origins);
            likely_sets(&weights, complaint, Some(&reading), KEPT)
        }
    };
    let world = |set: LikelySet| {
        let outputs = heel::origins_of(&model.origins, complaint, set);
        World {
            members: set.members,
            probability: set.probability,
            likelihood: array::from_fn(|origin| outputs[origin]),
            weight: array::from_fn(|origin| outputs[4 + origin]),
        }
    };
    sets.into_iter().map(world).collect()
}

/// One piece of evidence and what it says of every set.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The unit it belongs to.
    pub unit: Unit,
    /// Indices of the findings that were sent for it; empty for a risk factor.
    pub findings: Vec<usize>,
    /// Chance of what was found with no condition at all: a finding's leak, or its complement; a risk factor's prevalence.
    pub background: f64,
    piece: Piece,
}

/// What is said, without a table over all sets.
#[derive(Debug, Clone)]
enum Piece {
    Shifts(Vec<(usize, f64)>),
    Joint(Observed),
}

impl Statement {
    /// Whether it tells anything.
    #[must_use]
    pub fn tells(&self) -> bool {
        !matches!(&self.piece, Piece::Shifts(shifts) if shifts.is_empty())
    }

    /// Log likelihood of a set, by bits, against no condition at all.
    #[must_use]
    pub fn says(&self, members: u32) -> f64 {
        let holds = |condition: usize| members >> condition & 1 == 1;
        match &self.piece {
            Piece::Shifts(shifts) => {
                shifts.iter().filter(|(condition, _)| holds(*condition)).map(|(_, by)| by).sum()
            }
            Piece::Joint(of) => of.log_likelihood_in(|cause| holds(of.causes[cause].condition)),
        }
    }

    fn likelihood(&self) -> LogLikelihood {
        match &self.piece {
            Piece::Shifts(shifts) => LogLikelihood::Shifts(shifts.clone()),
            Piece::Joint(observed) => observed.log_likelihood(),
        }
    }
}

/// What the evidence of a case says, the pieces of a unit side by side.
#[must_use]
pub fn statements(model: &Model, case: &Case) -> Vec<Statement> {
    let evidence = evidence::of_case(&model.knowledge, case);
    let statement = |evidence: Evidence<'_>| {
        let unit = evidence.unit();
        let chance = |rate: f64, present| if present { rate } else { 1.0 - rate };
        match evidence {
            Evidence::Observed(of) => Statement {
                unit,
                findings: of.sent.clone(),
                background: chance(of.leak.probability, of.present),
                piece: if of.is_joint() { Piece::Joint(of) } else { Piece::Shifts(of.shifts()) },
            },
            Evidence::Exposed(of) => Statement {
                unit,
                findings: Vec::new(),
                background: chance(of.prevalence.probability(), of.present),
                piece: Piece::Shifts(of.shifts()),
            },
        }
    };
    let mut statements: Vec<Statement> = evidence.into_iter().map(statement).collect();
    statements.sort_by_key(|statement| statement.unit);
    statements
}
