//! Which parameters an answer hangs on.

use super::evidence;
use super::{Model, interval};
use crate::domain::Case;

/// A parameter of the model, by the indices of the knowledge base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterId {
    /// Prevalence of a condition in the case's setting.
    Prevalence(usize),
    /// Strength of an association.
    Association(usize),
    /// Probability that two or more origins are present.
    Coexistence,
    /// Share of the heel pain that no condition explains.
    Unexplained,
    /// Chance that a condition is felt at the heel.
    Reach(usize),
    /// Leak of a finding.
    Leak(usize),
    /// Sensitivity of a finding for a condition.
    Sensitivity(usize, usize),
    /// Prevalence of a risk factor.
    Exposure(usize),
    /// Odds ratio of a risk factor for a condition.
    OddsRatio(usize, usize),
}

/// What one standard deviation of a parameter does to an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// The parameter.
    pub parameter: ParameterId,
    /// First-order change of each origin's weight (likelihood on the presence-only basis), in the order of
    /// [`Origin::ALL`](crate::domain::Origin::ALL), when the parameter rises by one standard deviation on its own scale.
    pub change: [f64; 4],
}

/// The influence of every parameter on the origins of a case.
#[must_use]
pub fn influences(model: &Model, case: &Case) -> Vec<Influence> {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let evidence = evidence::of_case(&model.knowledge, case);
    interval::influences(&model.origins, calibration, &evidence)
}
