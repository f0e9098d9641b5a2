//! Which parameters the leading origin of each case hangs on.

use std::collections::BTreeMap;

use super::cohort::Labelled;
use super::prediction::{Method, predict};
use crate::engine::{self, Influence, Model, ParameterId};
use crate::knowledge::KnowledgeBase;

/// Half the width of a 95 % interval in standard deviations.
const HALF_WIDTH: f64 = 1.96;

/// The parameters that decide a case.
#[derive(Debug)]
pub(super) struct Hinge {
    /// Id of the case.
    pub(super) case: String,
    /// The parameters that, moved within their 95 % interval, put another origin first; strongest first.
    pub(super) parameters: Vec<ParameterId>,
}

/// For each case the parameters that could change its leading origin.
pub(super) fn hinges(model: &Model, cases: &[&Labelled]) -> Vec<Hinge> {
    cases.iter().map(|labelled| hinge(model, labelled)).collect()
}

fn hinge(model: &Model, labelled: &Labelled) -> Hinge {
    let origins = predict(model, &labelled.case, Method::Service).origins;
    let lead = (0..4).fold(0, |lead, o| if origins[o] > origins[lead] { o } else { lead });
    let margin = |change: &[f64; 4], sign: f64| {
        let moved = |o: usize| origins[o] + sign * HALF_WIDTH * change[o];
        (0..4).filter(|&o| o != lead).map(|o| moved(lead) - moved(o)).fold(f64::INFINITY, f64::min)
    };
    let mut deciding: Vec<(f64, ParameterId)> = engine::influences(model, &labelled.case)
        .into_iter()
        .map(|Influence { parameter, change }| {
            (margin(&change, 1.0).min(margin(&change, -1.0)), parameter)
        })
        .filter(|(margin, _)| *margin < 0.0)
        .collect();
    deciding.sort_by(|a, b| a.0.total_cmp(&b.0));
    let parameters = deciding.into_iter().map(|(_, parameter)| parameter).collect();
    Hinge { case: labelled.id.clone(), parameters }
}

/// The parameters with the largest root mean square change of an origin over all cases, for one standard deviation.
pub(super) fn strongest(
    model: &Model,
    cases: &[&Labelled],
    count: usize,
) -> Vec<(ParameterId, f64)> {
    let mut squares: BTreeMap<ParameterId, f64> = BTreeMap::new();
    for labelled in cases {
        for Influence { parameter, change } in engine::influences(model, &labelled.case) {
            let largest = change.iter().fold(0.0f64, |largest, own| largest.max(own.abs()));
            *squares.entry(parameter).or_default() += largest * largest / cases.len() as f64;
        }
    }
    let mut ordered: Vec<(ParameterId, f64)> =
        squares.into_iter().map(|(parameter, square)| (parameter, square.sqrt())).collect();
    ordered.sort_by(|a, b| b.1.total_cmp(&a.1));
    ordered.truncate(count);
    ordered
}

/// A parameter in words.
pub(super) fn describe(knowledge: &KnowledgeBase, parameter: ParameterId) -> String {
    let condition = |index: usize| &knowledge.conditions[index].id;
    let finding = |index: usize| &knowledge.findings[index].id;
    let factor = |index: usize| &knowledge.risk_factors[index].id;
    match parameter {
        ParameterId::Prevalence(c) => format!("prevalence of {}", condition(c)),
        ParameterId::Association(a) => {
            let pair = &knowledge.associations[a];
            format!("{} with {}", condition(pair.condition), condition(pair.given))
        }
        ParameterId::Coexistence => "coexistence".to_owned(),
        ParameterId::Unexplained => "unexplained share".to_owned(),
        ParameterId::Reach(c) => format!("{} felt at the heel", condition(c)),
        ParameterId::Leak(f) => format!("{} without a cause", finding(f)),
        ParameterId::Sensitivity(f, c) => format!("{} in {}", finding(f), condition(c)),
        ParameterId::Exposure(r) => format!("prevalence of {}", factor(r)),
        ParameterId::OddsRatio(r, c) => format!("{} on {}", factor(r), condition(c)),
    }
}

/// The quality grades of the pooled studies behind a parameter, where it has some.
pub(super) fn grades(knowledge: &KnowledgeBase, parameter: ParameterId) -> String {
    let studies = match parameter {
        ParameterId::Leak(finding) => {
            knowledge.findings[finding].leaks.first().map(|leak| &leak.studies)
        }
        ParameterId::Sensitivity(finding, condition) => {
            let links = &knowledge.findings[finding].links;
            links.iter().find(|link| link.condition == condition).map(|link| &link.studies)
        }
        ParameterId::OddsRatio(factor, condition) => {
            let effects = &knowledge.risk_factors[factor].effects;
            effects.iter().find(|effect| effect.condition == condition).map(|e| &e.studies)
        }
        ParameterId::Reach(condition) => Some(&knowledge.complaint.links[condition].studies),
        ParameterId::Prevalence(_)
        | ParameterId::Association(_)
        | ParameterId::Coexistence
        | ParameterId::Unexplained
        | ParameterId::Exposure(_) => None,
    };
    let Some(studies) = studies else { return String::new() };
    let pooled = studies.iter().filter(|study| study.excluded.is_empty());
    let grade = |study: &crate::knowledge::Study| {
        let read =
            if study.checked.is_empty() { String::new() } else { format!(", {}", study.checked) };
        format!("{}{read}", study.quality)
    };
    pooled.map(grade).collect::<Vec<_>>().join("; ")
}
