//! Composites: findings whose grade is the number of their parts that are present.
//!
//! With parts not asked, several grades are still possible, and the likelihood is that of all of them together:
//! P(lowest <= count <= highest) = P(count >= lowest) - P(count > highest), where a composite states P(count >= k) at its
//! thresholds k only. Sent by its own id, a composite says that its first threshold is reached, or is not.

use super::evidence::{Cause, Observed, Rate};
use crate::domain::Case;
use crate::knowledge::{Finding, KnowledgeBase, Parameter};

/// What a case says of its composites.
pub(super) fn of_case(knowledge: &KnowledgeBase, case: &Case) -> Vec<Observed> {
    let composites = knowledge.findings.iter().enumerate().filter(|(_, f)| !f.parts.is_empty());
    composites.filter_map(|(index, finding)| observed(index, finding, case)).collect()
}

fn observed(index: usize, finding: &Finding, case: &Case) -> Option<Observed> {
    let sent = |wanted: usize| {
        let found = case.observations.iter().find(|observation| observation.finding == wanted);
        found.map(|observation| observation.present)
    };
    let thresholds: Vec<u32> = finding.leaks.iter().filter_map(|leak| leak.at_least).collect();
    let (mut lowest, mut highest) = possible_counts(finding, &sent);
    match sent(index) {
        Some(true) => lowest = lowest.max(thresholds[0]),
        Some(false) => highest = highest.min(thresholds[0] - 1),
        None => {}
    }
    let reached = thresholds.iter().rev().copied().find(|&k| k <= lowest);
    let missed = thresholds.iter().copied().find(|&k| k > highest);
    // A whole that contradicts its parts tells nothing, nor does what leaves every grade possible.
    if lowest > highest || (reached.is_none() && missed.is_none()) {
        return None;
    }
    let range = |parameters: &[(u32, Parameter)]| {
        let at = |k: Option<u32>| {
            parameters.iter().find(|(at_least, _)| Some(*at_least) == k).map(|(_, p)| *p)
        };
        between(at(reached), at(missed))
    };
    let leaks: Vec<(u32, Parameter)> =
        finding.leaks.iter().filter_map(|leak| Some((leak.at_least?, leak.rate))).collect();
    let of_condition = |links: &[crate::knowledge::Link]| {
        let own = links.iter().filter_map(|link| Some((link.at_least?, link.sensitivity)));
        let sensitivity = range(&own.collect::<Vec<_>>());
        Cause { condition: links[0].condition, sensitivity, weight: 1.0 }
    };
    let parts = finding.parts.iter().flatten().copied().chain([index]);
    Some(Observed {
        finding: index,
        sent: parts.filter(|&part| sent(part).is_some()).collect(),
        cluster: finding.cluster,
        present: true,
        leak: range(&leaks),
        causes: finding
            .links
            .chunk_by(|a, b| a.condition == b.condition)
            .map(of_condition)
            .collect(),
    })
}

/// The smallest and largest number of parts that may be present. A part of several findings is one item asked in several
/// ways: it is present when all that were sent are.
fn possible_counts(finding: &Finding, sent: &impl Fn(usize) -> Option<bool>) -> (u32, u32) {
    let (mut lowest, mut highest) = (0, 0);
    for part in &finding.parts {
        let answers: Vec<bool> = part.iter().filter_map(|&finding| sent(finding)).collect();
        let present = answers.iter().all(|present| *present);
        lowest += u32::from(!answers.is_empty() && present);
        highest += u32::from(present);
    }
    (lowest, highest)
}

/// P(count >= reached) - P(count >= missed) with the variance of its log odds; the two are taken as independent.
fn between(reached: Option<Parameter>, missed: Option<Parameter>) -> Rate {
    let end = |end: Option<Parameter>, otherwise: f64| {
        end.map_or((otherwise, 0.0), |end| (end.probability(), end.variance))
    };
    let slope = |p: f64| p * (1.0 - p);
    let ((from, from_variance), (to, to_variance)) = (end(reached, 1.0), end(missed, 0.0));
    let variance = slope(from).powi(2) * from_variance + slope(to).powi(2) * to_variance;
    Rate { probability: from - to, variance: variance / slope(from - to).powi(2) }
}
