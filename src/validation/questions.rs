//! How many questions it takes until the answer stands: asking what is suggested, against a fixed order.

use super::sampled::Sampler;
use crate::advice::{self, StopReason, Suggestions};
use crate::domain::{Case, Notice, Observation};
use crate::engine::{self, Model};
use crate::intake::Accepted;
use crate::knowledge::Effort;
use crate::rules::{Facts, Rules, Safety};

/// How one patient's examination went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examination {
    /// Findings asked until an origin was certain or the stop signal came.
    pub asked: usize,
    /// Whether the leading origin then contributed.
    pub right: bool,
}

/// Examines sampled patients of a setting twice: asking the first suggestion each time, and in a fixed order of findings, by
/// index. What the order does not hold is not asked.
#[must_use]
pub fn examinations(
    model: &Model,
    rules: &Rules,
    setting: usize,
    patients: usize,
    order: &[usize],
) -> Vec<(Examination, Examination)> {
    let mut sampler = Sampler::new(model, setting, 0, |_| true);
    let mut both = Vec::new();
    for _ in 0..patients {
        let (case, findings, contributes) = sampler.examine();
        let by_suggestion = |advised: &Suggestions, _: &Case| {
            let first = advised.suggestions.first().map(|own| own.finding);
            first.and_then(|finding| findings.iter().find(|own| own.finding == finding).copied())
        };
        let by_order = |_: &Suggestions, case: &Case| {
            let is_open = |of: &&usize| case.observations.iter().all(|asked| asked.finding != **of);
            let next = order.iter().find(is_open);
            next.and_then(|finding| findings.iter().find(|own| own.finding == *finding).copied())
        };
        let examine = |next: &dyn Fn(&Suggestions, &Case) -> Option<Observation>| {
            examine(model, rules, case.clone(), contributes, next)
        };
        both.push((examine(&by_suggestion), examine(&by_order)));
    }
    both
}

fn examine(
    model: &Model,
    rules: &Rules,
    mut case: Case,
    contributes: [bool; 4],
    next: &dyn Fn(&Suggestions, &Case) -> Option<Observation>,
) -> Examination {
    loop {
        let accepted = Accepted {
            case,
            facts: Facts::default(),
            max_suggestions: 1,
            max_effort: Effort::ImagingOrLaboratory,
            notices: Vec::<Notice>::new(),
        };
        let advised = advice::suggest(model, rules, &accepted, &Safety::default());
        case = accepted.case;
        let asked = case.observations.len();
        let found = next(&advised, &case);
        match found {
            Some(found) if advised.stop.reason == StopReason::GoOn => {
                case.observations.push(found);
                case.observations.sort_by_key(|observation| observation.finding);
            }
            _ => {
                let lead = engine::outlook(model, &case).lead();
                return Examination { asked, right: contributes[lead.index()] };
            }
        }
    }
}
