//! What to examine next, and whether to stop.

use std::cmp::Ordering;

use super::scenario::{Scenario, alone, altered, information};
use crate::domain::Case;
use crate::engine::{self, Breadth, Model, Outlook, Statement};
use crate::intake::Accepted;
use crate::knowledge::{Finding, Subject};
use crate::rules::{Rules, Separator};

/// Likelihood of an origin from which on it counts as certain.
const CERTAIN: f64 = 0.9;
/// Chance that one more finding changes the leading origin, below which the answer counts as settled. A judgement, as is the
/// next.
const SETTLED: f64 = 0.05;
/// Expected information, in bits, below which a finding is not worth its effort.
const WORTHLESS: f64 = 0.005;

/// A finding worth assessing.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Index of the finding.
    pub finding: usize,
    /// Expected information about whether each of the four origins contributes, summed over them, in bits.
    pub bits: f64,
    /// Chance that it is present.
    pub chance: f64,
    /// Chance that its result makes another origin lead.
    pub changes_lead: f64,
    /// Where the case would point with it present.
    pub if_present: Outlook,
    /// Where the case would point with it absent.
    pub if_absent: Outlook,
    /// What it tells apart, for one that a separator calls for; it then stands before what tells more bits.
    pub separates: Option<String>,
}

/// Why to stop, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Go on: a further finding may change the answer.
    GoOn,
    /// Go on: a question of safety is unanswered.
    SafetyUnanswered,
    /// Go on, yet act first: a red flag fires, or an answer on safety is positive without one.
    ActFirst,
    /// An origin is certain: its likelihood is 0.9 or more.
    Certain,
    /// No single further finding would likely change the leading origin.
    Settled,
    /// Nothing that could be asked within the effort allowed tells anything.
    NothingLeft,
}

/// Whether to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Why to stop, or why not.
    pub reason: StopReason,
    /// The largest chance, over all findings that could be assessed, that its result makes another origin lead.
    pub changes_lead: f64,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestions {
    /// The findings that tell most, the first most.
    pub suggestions: Vec<Suggestion>,
    /// Whether to stop.
    pub stop: Stop,
}

/// The `most` findings worth assessing next within an effort, and whether to stop. A finding that is part of a composite is
/// suggested as the composite.
pub(super) fn suggestions(model: &Model, rules: &Rules, accepted: &Accepted) -> Suggestions {
    let Accepted { case, facts, max_suggestions, max_effort, .. } = accepted;
    let separators: Vec<&Separator> = rules.separators(facts).collect();
    let scenario = Scenario::new(model, case, Breadth::Likely);
    let now = scenario.now();
    let findings = model.knowledge().findings.iter().enumerate();
    let candidates = findings.filter(|(index, finding)| {
        let is_worth_it = finding.effort <= *max_effort && is_open(case, *index, finding);
        is_worth_it && !rules.is_implied(Subject::Finding(*index), facts)
    });
    let mut ranked: Vec<Suggestion> =
        candidates.map(|(index, _)| suggestion(&scenario, &now, index)).collect();
    for own in &mut ranked {
        let called_for = separators.iter().find(|separator| separator.ask.contains(&own.finding));
        own.separates = called_for.map(|separator| separator.reason.clone());
    }
    let tells = |own: &Suggestion| own.bits >= WORTHLESS || own.separates.is_some();
    let (mut telling, silent): (Vec<_>, Vec<_>) = ranked.into_iter().partition(tells);
    telling.sort_by(by_rank);
    let rest = telling.split_off(telling.len().min(*max_suggestions));
    let before = engine::outlook(model, case);
    let exact = telling.into_iter().map(|own| exact(model, case, &before, own));
    let mut suggestions: Vec<Suggestion> = exact.filter(tells).collect();
    suggestions.sort_by(by_rank);
    let all = suggestions.iter().chain(&rest).chain(&silent);
    let changes_lead = all.map(|own| own.changes_lead).fold(0.0, f64::max);
    let reason = if before.likelihood.iter().any(|likelihood| *likelihood >= CERTAIN) {
        StopReason::Certain
    } else if suggestions.is_empty() && rest.is_empty() {
        StopReason::NothingLeft
    } else if changes_lead < SETTLED {
        StopReason::Settled
    } else {
        StopReason::GoOn
    };
    Suggestions { suggestions, stop: Stop { reason, changes_lead } }
}

/// Separators first, else what tells most.
fn by_rank(a: &Suggestion, b: &Suggestion) -> Ordering {
    let first = b.separates.is_some().cmp(&a.separates.is_some());
    first.then(b.bits.total_cmp(&a.bits)).then(a.finding.cmp(&b.finding))
}

/// Whether a finding tells something and nothing is known of it.
fn is_open(case: &Case, index: usize, finding: &Finding) -> bool {
    let is_sent = |of: usize| case.observations.iter().any(|observation| observation.finding == of);
    let own = finding.parts.iter().flatten().copied().chain([index]);
    !finding.links.is_empty() && finding.part_of.is_none() && !own.into_iter().any(is_sent)
}

fn suggestion(scenario: &Scenario<'_>, now: &Outlook, finding: usize) -> Suggestion {
    let chance = scenario.chance(finding);
    let after = |present| scenario.outlook(&scenario.probabilities(finding, Some(present)));
    judged(finding, chance, now, (after(true), after(false)))
}

fn judged(
    finding: usize,
    chance: f64,
    now: &Outlook,
    (if_present, if_absent): (Outlook, Outlook),
) -> Suggestion {
    let told = |after: &Outlook| information(&now.likelihood, &after.likelihood);
    let moves = |after: &Outlook| if after.lead() == now.lead() { 0.0 } else { 1.0 };
    let expected =
        |of: &dyn Fn(&Outlook) -> f64| chance * of(&if_present) + (1.0 - chance) * of(&if_absent);
    let (bits, changes_lead) = (expected(&told), expected(&moves));
    Suggestion { finding, bits, chance, changes_lead, if_present, if_absent, separates: None }
}

/// The same from exact sums.
fn exact(model: &Model, case: &Case, now: &Outlook, quick: Suggestion) -> Suggestion {
    let after = |present| engine::outlook(model, &altered(case, quick.finding, Some(present)));
    let chance = chance(model, case, quick.finding);
    let exact = judged(quick.finding, chance, now, (after(true), after(false)));
    Suggestion { separates: quick.separates, ..exact }
}

/// The exact chance that a finding, as an examination alone, is present.
fn chance(model: &Model, case: &Case, finding: usize) -> f64 {
    let own = engine::statements(model, &alone(case, finding));
    let known = engine::statements(model, case);
    let log = |statements: &mut dyn Iterator<Item = &Statement>| {
        engine::log_evidence(model, case, statements)
    };
    let ratio = (log(&mut known.iter().chain(&own)) - log(&mut known.iter())).exp();
    own.first().map_or(0.0, |own| (own.background * ratio).clamp(0.0, 1.0))
}
