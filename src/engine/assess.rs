//! From a case to an assessment.

use super::calibration::Calibration;
use super::complaint::Reading;
use super::enumeration::{Factor, Weights, absent_present, sums};
use super::evidence::{self, Evidence, LogLikelihood};
use super::{Model, explanation, interval};
use crate::domain::{
    Assessment, Basis, Case, Complaint as Presence, ConditionScore, Detail, Mechanism, Notice,
    Origin, OriginScore,
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
        notices: notices(model, case, &evidence, &reading),
    }
}

/// Likelihood and weight of each origin, in the order of [`Origin::ALL`], without intervals: what a study of the
/// parameters' uncertainty needs for each of its draws.
#[must_use]
pub fn likelihoods_and_weights(model: &Model, case: &Case) -> [(f64, Option<f64>); 4] {
    let calibration = &model.calibrated(case.setting, case.complaint).calibration;
    let reading = reading(&model.origins, calibration, &evidence::of_case(&model.knowledge, case));
    Origin::ALL.map(|origin| {
        let weight = reading.origin_weight.map(|weight| weight[origin.index()]);
        (reading.origin_likelihood[origin.index()], weight)
    })
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

fn notices(
    model: &Model,
    case: &Case,
    evidence: &[Evidence<'_>],
    reading: &Reading,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let tells = |evidence: &&Evidence<'_>| match evidence {
        Evidence::Observed(observed) => !observed.causes.is_empty(),
        Evidence::Exposed(exposed) => !exposed.effects.is_empty(),
    };
    let telling: Vec<&Evidence<'_>> = evidence.iter().filter(tells).collect();
    if telling.is_empty() {
        notices.push(Notice::NoInformativeFinding);
    }
    let holds = |evidence: &&Evidence<'_>, finding: usize| matches!(evidence, Evidence::Observed(of) if of.sent.contains(&finding));
    let sent = case.observations.iter().map(|observation| observation.finding);
    let is_unused = |of: &usize| !telling.iter().any(|evidence| holds(evidence, *of));
    let unused: Vec<usize> = sent.filter(is_unused).collect();
    if !unused.is_empty() {
        notices.push(Notice::WithoutWeight(unused));
    }
    let leads_elsewhere = |setting: &usize| {
        let other = &model.calibrated(*setting, case.complaint).calibration;
        *setting != case.setting
            && self::reading(&model.origins, other, evidence).lead() != reading.lead()
    };
    let settings: Vec<usize> = (0..model.settings.len()).filter(leads_elsewhere).collect();
    if !settings.is_empty() {
        notices.push(Notice::SettingChangesLead(settings));
    }
    let systemic = systemic_lead(model, reading);
    if !systemic.is_empty() {
        notices.push(Notice::SystemicDisease(systemic));
    }
    notices
}

/// Systemic and inflammatory conditions that carry most of the leading origin.
fn systemic_lead(model: &Model, reading: &Reading) -> Vec<usize> {
    let lead = reading.lead();
    let rank = reading.weight.as_ref().unwrap_or(&reading.present);
    let own = |condition: &usize| model.origins[*condition] == lead;
    let is_systemic = |condition: &usize| {
        let mechanism = model.knowledge.conditions[*condition].mechanism;
        matches!(mechanism, Mechanism::SystemicNeuropathy | Mechanism::Inflammatory)
    };
    let total: f64 = (0..rank.len()).filter(own).map(|condition| rank[condition]).sum();
    let systemic = (0..rank.len()).filter(own).filter(is_systemic);
    systemic.filter(|&condition| rank[condition] > total / 2.0).collect()
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
