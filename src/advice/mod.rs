//! From an accepted case to the whole answer: the engine's numbers, the rules' findings, and what both mean for the next step:
//! what to examine next, when to stop, which findings the answer hangs on, whether they belong together, a summary.
//!
//! Decides nothing that the engine and the rules have decided. Rankings run over the most probable sets of conditions; what is
//! told of a suggestion or a reversal is computed again, exactly.

mod conflict;
mod notices;
mod scenario;
mod suggestions;
mod summary;
mod what_if;

pub use conflict::Conflict;
pub use suggestions::{Stop, StopReason, Suggestion, Suggestions};
pub use what_if::Reversal;

use crate::domain::{Assessment, Detail, Notice};
use crate::engine::{self, Model};
use crate::intake::Accepted;
use crate::rules::{InstrumentResult, Rules, Safety};

/// The whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the red flags say.
    pub safety: Safety,
    /// The numbers.
    pub assessment: Assessment,
    /// What a reader must know beside them.
    pub notices: Vec<Notice>,
    /// The answer in plain English.
    pub summary: String,
    /// What else was asked for.
    pub details: Option<Details>,
}

/// What the full view adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Named published instruments.
    pub instruments: Vec<InstrumentResult>,
    /// What to examine next, and whether to stop.
    pub suggestions: Suggestions,
    /// Findings on which the leading origin hangs.
    pub reversals: Vec<Reversal>,
    /// Whether the findings belong together; `None` with fewer than two units.
    pub conflict: Option<Conflict>,
}

/// Answers an accepted case. The red flags come first and from the rules alone.
#[must_use]
pub fn answer(model: &Model, rules: &Rules, accepted: &Accepted) -> Answer {
    let Accepted { case, facts, notices, .. } = accepted;
    let safety = rules.safety(facts);
    let assessment = engine::assess(model, case);
    let mut notices = notices.clone();
    notices.extend(rules.notices(facts, &safety));
    let conflict = conflict::conflict(model, case, case.detail);
    notices.extend(notices::notices(model, case, &assessment, conflict.as_ref()));
    let summary = summary::summary(rules, &safety, &assessment, &notices);
    let details = (case.detail == Detail::Full).then(|| Details {
        instruments: rules.instruments(facts),
        suggestions: suggest(model, rules, accepted, &safety),
        reversals: what_if::reversals(model, case),
        conflict,
    });
    Answer { safety, assessment, notices, summary, details }
}

/// What to examine next. While danger is known, or a question of safety is unanswered or there are none
/// to ask, there is no stopping.
#[must_use]
pub fn suggest(model: &Model, rules: &Rules, accepted: &Accepted, safety: &Safety) -> Suggestions {
    let mut suggestions = suggestions::suggestions(model, rules, accepted);
    if !safety.fired.is_empty() || !safety.unexplained.is_empty() {
        suggestions.stop.reason = StopReason::ActFirst;
    } else if !safety.questions.is_empty() || rules.questions.is_empty() {
        suggestions.stop.reason = StopReason::SafetyUnanswered;
    }
    suggestions
}
