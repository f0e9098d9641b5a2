//! The answer in plain English, made from its numbers.

use std::fmt::Write as _;

use crate::domain::{Assessment, Basis, Origin, OriginScore};
use crate::rules::{Rules, Safety, Urgency};

/// Likelihood from which on a second origin is named.
const NAMED: f64 = 0.3;

/// At most five sentences: danger first, then where the pain comes from, how sure that is, and what was left unasked.
pub(super) fn summary(rules: &Rules, safety: &Safety, assessment: &Assessment) -> String {
    let sentences = [
        danger(rules, safety),
        leading(rules, assessment),
        others(assessment),
        unexplained(assessment),
        unasked(rules, safety),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn danger(rules: &Rules, safety: &Safety) -> Option<String> {
    let first = &rules.red_flags[safety.fired.first()?.flag];
    let when = match first.urgency {
        Urgency::Emergency => "the same day",
        Urgency::Urgent => "within days",
        Urgency::Soon => "within weeks",
    };
    let more = match safety.fired.len() - 1 {
        0 => String::new(),
        1 => ", and one more red flag fires".to_owned(),
        count => format!(", and {count} more red flags fire"),
    };
    Some(format!("Act first, {when}, on {}{more}.", lowered(&first.label)))
}

fn leading(rules: &Rules, assessment: &Assessment) -> Option<String> {
    let score = assessment.origins.first()?;
    let conditions = &rules.knowledge.conditions;
    let mut own =
        assessment.conditions.iter().filter(|own| conditions[own.condition].origin == score.origin);
    let condition = &conditions[own.next()?.condition];
    let verb = match assessment.basis {
        Basis::HeelPain => "most likely explains the pain",
        Basis::PresenceOnly => "is most likely affected",
    };
    let interval = score.likelihood_interval;
    let moved = match (score.likelihood - score.pretest, "expected before any finding") {
        (by, before) if by.abs() < 0.005 => format!("as {before}"),
        (by, before) => {
            let word = if by > 0.0 { "up" } else { "down" };
            format!("{word} from {} {before}", number(score.pretest))
        }
    };
    Some(format!(
        "{} {verb}: likelihood {} ({:.0} % credible interval {} to {}), {moved}; first among its conditions is {}.",
        capitalised(named(score.origin)),
        number(score.likelihood),
        interval.level.get() * 100.0,
        number(interval.lower),
        number(interval.upper),
        lowered(plain(&condition.label)),
    ))
}

/// The other origins that may contribute.
fn others(assessment: &Assessment) -> Option<String> {
    let named_too: Vec<&OriginScore> =
        assessment.origins.iter().skip(1).filter(|score| score.likelihood >= NAMED).collect();
    let several = number(assessment.several_origins);
    let (last, before) = named_too.split_last()?;
    let one =
        |score: &OriginScore| format!("{} ({})", named(score.origin), number(score.likelihood));
    let mut text = before.iter().map(|score| one(score)).collect::<Vec<_>>().join(", ");
    if !before.is_empty() {
        text.push_str(" and ");
    }
    text.push_str(&one(last));
    Some(format!(
        "{} may contribute as well; two or more origins are affected with probability {several}.",
        capitalised(&text)
    ))
}

fn unexplained(assessment: &Assessment) -> Option<String> {
    let unexplained = assessment.unexplained.filter(|share| *share >= 0.2)?;
    Some(format!("None of the conditions weighed explains {} of the pain.", number(unexplained)))
}

fn unasked(rules: &Rules, safety: &Safety) -> Option<String> {
    let total = rules.questions.len();
    let mut text = match safety.questions.len() {
        0 => return None,
        1 => "One question of safety was".to_owned(),
        count if count == total => "No question of safety was answered".to_owned(),
        count => format!("{count} of {total} questions of safety were"),
    };
    if safety.questions.len() < total {
        text.push_str(" not answered");
    }
    if safety.fired.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, ", so that no red flag fires does not reassure");
    }
    text.push('.');
    Some(text)
}

const fn named(origin: Origin) -> &'static str {
    match origin {
        Origin::Spinal => "the spine",
        Origin::Pelvic => "the pelvis or hip",
        Origin::PeripheralNerve => "a peripheral nerve",
        Origin::Local => "the heel itself",
    }
}

/// Two digits, and never 0 or 1 for what is neither.
fn number(value: f64) -> String {
    if value < 0.005 {
        "under 0.01".to_owned()
    } else if value > 0.995 {
        "over 0.99".to_owned()
    } else {
        format!("{value:.2}")
    }
}

/// A label without what it has in brackets.
fn plain(label: &str) -> &str {
    label.split(" (").next().unwrap_or(label)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A label inside a sentence: its first letter is small, unless the word is a name or an abbreviation.
fn lowered(label: &str) -> String {
    let first = label.split(' ').next().unwrap_or_default();
    let is_abbreviation = first.chars().skip(1).any(char::is_uppercase);
    if is_abbreviation || NAMES.contains(&first) {
        return label.to_owned();
    }
    let mut letters = label.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Names of persons with which a label begins.
const NAMES: [&str; 2] = ["Baxter", "Achilles"];
