//! From a case to an assessment.

use super::calibration::Calibration;
use super::complaint::Reading;
use super::enumeration::{Factor, Weights, absent_present, sums};
use super::evidence::{self, Evidence, LogLikelihood};
use super::{Model, explanation, interval};
use crate::domain::{
    Assessment, Basis, Case, Complaint as Presence, ConditionScore, Detail, Origin, OriginScore,
};

/// Assesses a case: exact posterior, credible intervals and, when asked for, contributions.
#[must_use]
pub fn assess(model: &Model, case: &Case) -> Assessment {
    let calibrated = model.calibrated(case.setting, case.complaint);
    let evidence = evidence::of_case(&model.knowledge, case);
    let reading = reading(&model.origins, &calibrated.calibration, &evidence);
    let intervals = interval::intervals(
        &model.origins,
        &calibrated.calibration,
        &evidence,
        &reading,
        case.level,
    );
    let contributions = match case.detail {
        Detail::Basic => Vec::new(),
        Detail::Full => explanation::contributions(
            &model.origins,
            &calibrated.calibration,
            &evidence,
            (&calibrated.pretest, &reading),
        ),
    };
    Assessment {
        setting: case.setting,
        basis: match case.complaint {
            Presence::Present => Basis::HeelPain,
            Presence::Absent => Basis::PresenceOnly,
        },
        origins: origins(&reading, &calibrated.pretest, &intervals),
        unexplained: reading.unexplained,
        several_origins: reading.several_origins,
        conditions: conditions(&reading, &calibrated.pretest, &intervals),
        contributions,
    }
}

fn origins(
    reading: &Reading,
    pretest: &Reading,
    intervals: &interval::Intervals,
) -> Vec<OriginScore> {
    let score = |origin: Origin| {
        let index = origin.index();
        OriginScore {
            origin,
            likelihood: reading.origin_likelihood[index],
            likelihood_interval: intervals.origin_likelihood[index],
            weight: reading
                .origin_weight
                .map(|weight| (weight[index], intervals.origin_weight[index])),
            pretest: pretest.origin_likelihood[index],
            single_origin_probability: reading.single_origin[index],
        }
    };
    let rank = reading.rank();
    let mut ordered = Origin::ALL;
    ordered.sort_by(|a, b| rank[b.index()].total_cmp(&rank[a.index()]));
    ordered.map(score).into()
}

fn conditions(
    reading: &Reading,
    pretest: &Reading,
    intervals: &interval::Intervals,
) -> Vec<ConditionScore> {
    let score = |condition: usize| ConditionScore {
        condition,
        present: reading.present[condition],
        present_interval: intervals.present[condition],
        likelihood: reading.likelihood[condition],
        weight: reading.weight.as_ref().map(|weight| weight[condition]),
        pretest: pretest.present[condition],
    };
    let rank = reading.weight.as_ref().unwrap_or(&reading.present);
    let mut ordered: Vec<usize> = (0..rank.len()).collect();
    ordered.sort_by(|&a, &b| rank[b].total_cmp(&rank[a]));
    ordered.into_iter().map(score).collect()
}

/// The exact reading of a calibrated setting under evidence.
pub(super) fn reading(
    origins: &[Origin],
    calibration: &Calibration,
    evidence: &[Evidence<'_>],
) -> Reading {
    let likelihoods: Vec<LogLikelihood> = evidence.iter().map(Evidence::log_likelihood).collect();
    let weights = weights(origins, calibration, &likelihoods, 1.0);
    Reading::new(&sums(&weights), &calibration.complaint, origins)
}

/// The weights of all sets, every piece of evidence raised to `power`.
pub(super) fn weights<'a>(
    origins: &'a [Origin],
    calibration: &'a Calibration,
    likelihoods: &[LogLikelihood],
    power: f64,
) -> Weights<'a> {
    let mut log_odds = calibration.log_odds.clone();
    let mut factors = calibration.factors();
    for likelihood in likelihoods {
        match likelihood {
            LogLikelihood::Shifts(shifts) => {
                for (condition, shift) in shifts {
                    log_odds[*condition] += power * shift;
                }
            }
            LogLikelihood::Table(table) => factors.push(Factor {
                conditions: table.conditions.clone(),
                values: table.values.iter().map(|log| (power * log).exp()).collect(),
            }),
        }
    }
    Weights {
        origins,
        absent_present: log_odds.into_iter().map(absent_present).collect(),
        damping: &calibration.complaint.damping,
        coexistence: (1.0, calibration.coexistence.exp()),
        factors,
    }
}
