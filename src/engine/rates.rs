//! How often a result is seen with and without a condition, before any other finding.

use super::calibration::Calibration;
use super::enumeration::{Lanes, sums};
use super::evidence::{Cause, Evidence, LogLikelihood, Observed};
use super::{Model, assess, evidence};
use crate::domain::{Case, ConditionEvidence, Origin, Unit};

/// What a piece of a case's evidence says of the conditions it is linked to; the pieces in the order of the engine.
#[must_use]
pub fn condition_evidence(model: &Model, case: &Case) -> Vec<ConditionEvidence> {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let evidence = evidence::of_case(&model.knowledge, case);
    rates(&model.origins, calibration, &evidence).concat()
}

/// The patients of a setting, weighed by evidence.
pub(super) struct Population<'a> {
    calibration: &'a Calibration,
    scale: f64,
    total: f64,
    with: Vec<Lanes>,
}

impl<'a> Population<'a> {
    pub(super) fn new(
        origins: &[Origin],
        calibration: &'a Calibration,
        likelihoods: &[LogLikelihood],
    ) -> Self {
        let weights = assess::weights(origins, calibration, likelihoods, 1.0);
        let sums = sums(&weights);
        // Presence and absence are scaled to add up to 1, so what they were divided by goes back in.
        let scale = weights.absent_present.iter().map(|(absent, _)| -absent.ln()).sum();
        let total = calibration.complaint.mass(&sums.total());
        Self { calibration, scale, total, with: sums.conditions }
    }

    /// Logarithm of their weight.
    pub(super) fn log_mass(&self) -> f64 {
        self.total.ln() + self.scale
    }

    /// Mass of those with a condition, and of those without.
    fn split(&self, condition: usize) -> (f64, f64) {
        let with = self.calibration.complaint.mass(&self.with[condition]);
        (with, self.total - with)
    }
}

/// For each piece of evidence what it says of the conditions it is linked to.
pub(super) fn rates(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
) -> Vec<Vec<ConditionEvidence>> {
    let everybody = Population::new(origins, calibration, &[]);
    let of = |evidence: &Evidence<'_>| {
        let (of, given) = match evidence {
            Evidence::Observed(observed) => {
                (Unit::Finding(observed.finding), given(origins, &everybody, observed))
            }
            Evidence::Exposed(exposed) => (Unit::RiskFactor(exposed.risk_factor), Vec::new()),
        };
        let ratios = evidence.log_ratios().into_iter().enumerate();
        let one = |(position, (condition, log, discount)): (usize, (usize, f64, f64))| {
            let given = given.get(position).copied();
            ConditionEvidence { of, condition, given, ratio: log.exp(), discount }
        };
        ratios.map(one).collect()
    };
    evidence.iter().map(of).collect()
}

/// For each cause of a finding the chance of what was found with it and without it.
fn given(origins: &[Origin], everybody: &Population<'_>, observed: &Observed) -> Vec<(f64, f64)> {
    let leak = observed.leak.probability;
    let inhibition = |sensitivity: f64| ((1.0 - sensitivity) / (1.0 - leak)).ln();
    let shifts = observed.causes.iter();
    let shifts = shifts.map(|cause| (cause.condition, inhibition(cause.sensitivity.probability)));
    let shifts = LogLikelihood::Shifts(shifts.collect());
    let without_it = Population::new(origins, everybody.calibration, &[shifts]);
    let scale = (1.0 - leak) * (without_it.scale - everybody.scale).exp();
    let chance = |absent: f64, all: f64| {
        let absent = scale * absent / all;
        if observed.present { 1.0 - absent } else { absent }
    };
    let of_cause = |cause: &Cause| {
        let (with, without) = everybody.split(cause.condition);
        let (absent_with, absent_without) = without_it.split(cause.condition);
        (chance(absent_with, with), chance(absent_without, without))
    };
    observed.causes.iter().map(of_cause).collect()
}
