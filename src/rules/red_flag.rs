//! Red flags: rules of safety, decided before and apart from every probability.

use serde::Deserialize;

use super::Rules;
use super::facts::{Atom, Condition, Facts, Scope};

/// How fast to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// The same day.
    Emergency,
    /// Within days, up to two weeks where a pathway says so.
    Urgent,
    /// Within weeks.
    Soon,
}

impl Urgency {
    /// Id as in the knowledge base.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Urgent => "urgent",
            Self::Soon => "soon",
        }
    }
}

/// A rule of safety.
#[derive(Debug, Clone, PartialEq)]
pub struct RedFlag {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// When it fires.
    pub trigger: Condition,
    /// How fast to act.
    pub urgency: Urgency,
    /// What to do.
    pub action: String,
    /// Index of its source in the knowledge base.
    pub source: usize,
    /// Whether the source was read or recalled.
    pub checked: &'static str,
    /// What is known of its accuracy, and choices made.
    pub note: String,
}

/// A question that belongs to every assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Id.
    pub id: String,
    /// The question, for the clinician to ask.
    pub ask: String,
    /// It is answered once this is known, be it true or false.
    pub answered: Condition,
    /// What says yes to it as well once it is sent, though nobody needs to ask for it.
    pub signs: Option<Condition>,
}

/// What a red flag says of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedFlagResult {
    /// Index of the red flag.
    pub flag: usize,
    /// What was stated and makes it fire, or goes some way towards it.
    pub because: Vec<Atom>,
    /// What was not asked and could change whether it fires.
    pub unasked: Vec<Atom>,
}

impl RedFlagResult {
    /// Whether a finding speaks for it, not the age or sex alone.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.because.iter().any(|atom| atom.subject().is_some())
    }
}

/// What the red flags say of a patient. A flag in neither list is ruled out as far as its rule goes; none of this reassures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Safety {
    /// Flags that fire, the most urgent first.
    pub fired: Vec<RedFlagResult>,
    /// Flags that do not fire and could, were all asked.
    pub open: Vec<RedFlagResult>,
    /// Indices of the questions that are not answered, and what was not asked of each.
    pub questions: Vec<(usize, Vec<Atom>)>,
    /// What questions of safety were answered with yes by, signs that nobody asked for among them, and no flag that fires rests on.
    pub unexplained: Vec<Atom>,
}

impl Rules {
    /// Decides every red flag.
    #[must_use]
    pub fn safety(&self, facts: &Facts) -> Safety {
        let mut safety = Safety::default();
        let mut fired = Vec::with_capacity(self.red_flags.len());
        for (flag, rule) in self.red_flags.iter().enumerate() {
            let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Either, &fired, atom);
            let value = rule.trigger.value(&of);
            let unasked = distinct(rule.trigger.unasked(&of));
            let because = distinct(match value {
                Some(true) => rule.trigger.reasons(&of),
                _ => rule.trigger.grounds(&of),
            });
            match value {
                Some(true) => safety.fired.push(RedFlagResult { flag, because, unasked }),
                None => safety.open.push(RedFlagResult { flag, because, unasked }),
                Some(false) => {}
            }
            fired.push(value == Some(true));
        }
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Either, &fired, atom);
        let unanswered = |(index, question): (usize, &Question)| {
            let unasked = question.answered.unasked(&of);
            question.answered.value(&of).is_none().then(|| (index, distinct(unasked)))
        };
        safety.questions = self.questions.iter().enumerate().filter_map(unanswered).collect();
        let explained: Vec<&Atom> = safety.fired.iter().flat_map(|own| &own.because).collect();
        let yes = self.questions.iter().flat_map(|own| [Some(&own.answered), own.signs.as_ref()]);
        let said = yes.flatten().flat_map(|condition| condition.reasons(&of));
        safety.unexplained = distinct(said.filter(|atom| !explained.contains(atom)).collect());
        safety
    }
}

/// Each atom once, in the order of the rule.
pub(super) fn distinct(atoms: Vec<&Atom>) -> Vec<Atom> {
    let mut distinct: Vec<Atom> = Vec::new();
    for atom in atoms {
        if !distinct.contains(atom) {
            distinct.push(*atom);
        }
    }
    distinct
}
