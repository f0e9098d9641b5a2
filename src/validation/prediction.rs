//! What each way of weighing says of a case.

use crate::domain::{Assessment, Case, Complaint, Detail};
use crate::engine::{self, Model};

/// A way of weighing the same evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The service: weights scaled to 1 with heel pain, else single-origin probabilities.
    Service,
    /// The service's single-origin probabilities.
    SingleOrigin,
    /// The product of likelihood ratios with exactly one cause and every finding independent.
    NaiveProduct,
    /// The setting alone, without any finding or risk factor.
    PriorAlone,
}

impl Method {
    pub(super) const ALL: [Self; 4] =
        [Self::Service, Self::SingleOrigin, Self::NaiveProduct, Self::PriorAlone];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Service => "heel-origin",
            Self::SingleOrigin => "heel-origin, single-origin probability",
            Self::NaiveProduct => "naive product, one cause",
            Self::PriorAlone => "prior alone",
        }
    }
}

/// Probabilities that a method gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prediction {
    /// Of each origin, in the order of [`Origin::ALL`](crate::domain::Origin::ALL); they sum to 1.
    pub(super) origins: [f64; 4],
    /// Of each condition, in the order of the knowledge base; only their order counts.
    pub(super) conditions: Vec<f64>,
}

/// What a method says of a case.
pub(super) fn predict(model: &Model, case: &Case, method: Method) -> Prediction {
    match method {
        Method::Service => weighed(&engine::assess(model, case)),
        Method::SingleOrigin => {
            let assessment = engine::assess(model, case);
            let mut origins = [0.0; 4];
            for score in &assessment.origins {
                origins[score.origin.index()] = score.single_origin_probability;
            }
            Prediction { origins, ..weighed(&assessment) }
        }
        Method::NaiveProduct => naive(model, case),
        Method::PriorAlone => weighed(&engine::assess(model, &bare(case))),
    }
}

/// The case with nothing known but the complaint.
fn bare(case: &Case) -> Case {
    Case {
        age: None,
        observations: Vec::new(),
        exposures: Vec::new(),
        detail: Detail::Basic,
        ..case.clone()
    }
}

fn weighed(assessment: &Assessment) -> Prediction {
    let mut origins = [0.0; 4];
    for score in &assessment.origins {
        let share = score.weight.map_or(score.single_origin_probability, |(weight, _)| weight);
        origins[score.origin.index()] = share;
    }
    let total: f64 = origins.iter().sum();
    let mut conditions = vec![0.0; assessment.conditions.len()];
    for score in &assessment.conditions {
        conditions[score.condition] = score.weight.unwrap_or(score.present);
    }
    Prediction { origins: origins.map(|origin| origin / total), conditions }
}

/// One cause, prior share times the product of likelihood ratios; with heel pain the prior share is that of the pain.
fn naive(model: &Model, case: &Case) -> Prediction {
    let knowledge = model.knowledge();
    let mut logs: Vec<f64> =
        weighed(&engine::assess(model, &bare(case))).conditions.into_iter().map(f64::ln).collect();
    for evidence in engine::condition_evidence(model, case) {
        logs[evidence.condition] += evidence.ratio.ln();
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut conditions: Vec<f64> = logs.into_iter().map(|log| (log - largest).exp()).collect();
    let total: f64 = conditions.iter().sum();
    for condition in &mut conditions {
        *condition /= total;
    }
    let mut origins = [0.0; 4];
    for (condition, share) in knowledge.conditions.iter().zip(&conditions) {
        origins[condition.origin.index()] += share;
    }
    Prediction { origins, conditions }
}

/// Whether a case is about heel pain.
pub(super) fn has_heel_pain(case: &Case) -> bool {
    case.complaint == Complaint::Present
}
