//! The answer in plain English, made from its numbers.

use crate::domain::{Assessment, Basis, Notice, Origin, OriginScore};
use crate::rules::{Rules, Safety, Urgency};

/// Likelihood from which on a second origin is named.
const NAMED: f64 = 0.3;

/// At most five sentences: danger first, then where the pain comes from, how far that holds, and what was left unasked.
pub(super) fn summary(
    rules: &Rules,
    safety: &Safety,
    assessment: &Assessment,
    notices: &[Notice],
) -> String {
    let sentences = [
        danger(rules, safety),
        leading(rules, assessment),
        others(assessment),
        caution(notices).or_else(|| unexplained(assessment)),
        unasked(rules, safety),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn danger(rules: &Rules, safety: &Safety) -> Option<String> {
    let first = &rules.red_flags[safety.fired.first()?.flag];
    let urgency = match first.urgency {
        Urgency::Emergency => "Red flag, an emergency",
        Urgency::Urgent => "Red flag, urgent",
        Urgency::Soon => "Red flag, to act on soon",
    };
    let (more, them) = match safety.fired.len() - 1 {
        0 => (String::new(), "this"),
        1 => (", and one more".to_owned(), "these"),
        count => (format!(", and {count} more"), "these"),
    };
    let worse = worse(rules, safety, first.urgency).unwrap_or_default();
    Some(format!("{urgency}: {}{more}; act on {them} first{worse}.", lowered(&first.label)))
}

/// What is more urgent than the flag that fires, and could fire as well: the one for which most was sent.
fn worse(rules: &Rules, safety: &Safety, than: Urgency) -> Option<String> {
    let begun = safety.open.iter().filter(|own| own.is_begun());
    let urgent = begun.filter(|own| rules.red_flags[own.flag].urgency < than);
    // Of equals the last is taken, and the first is the most urgent.
    let most = urgent.rev().max_by_key(|own| own.because.len())?;
    let label = lowered(&rules.red_flags[most.flag].label);
    Some(format!(", and rule out what is more urgent: {label}"))
}

fn leading(rules: &Rules, assessment: &Assessment) -> Option<String> {
    let score = assessment.origins.first()?;
    let conditions = &rules.knowledge.conditions;
    let mut own =
        assessment.conditions.iter().filter(|own| conditions[own.condition].origin == score.origin);
    let condition = &conditions[own.next()?.condition];
    // One that causes less of the pain itself may be the surer one, and the reason for the first: a stenosis behind a sciatica.
    let also = own.max_by(|a, b| a.present.total_cmp(&b.present)).filter(|own| own.present >= 0.5);
    let also = also.map(|own| {
        let label = lowered(&plain(&conditions[own.condition].label));
        format!(", and {label} is present with probability {}", number(own.present))
    });
    let interval = score.likelihood_interval;
    let likelihood = format!(
        "{} ({} % credible interval {} to {})",
        number(score.likelihood),
        percent(interval.level.get()),
        number(interval.lower),
        number(interval.upper),
    );
    if let Some(unexplained) = assessment.unexplained.filter(|share| *share > score.likelihood) {
        return Some(format!(
            "With probability {} none of the conditions weighed explains the pain; first among the origins comes {}, with likelihood {likelihood}.",
            number(unexplained),
            named(score.origin),
        ));
    }
    let is_likeliest = assessment.origins.iter().all(|own| own.likelihood <= score.likelihood);
    let verb = match assessment.basis {
        Basis::HeelPain if is_likeliest => "most likely explains the pain",
        Basis::HeelPain => "explains the largest share of the pain",
        Basis::PresenceOnly => "is most likely affected",
    };
    let moved = match (score.likelihood - score.pretest, "expected before any finding") {
        (by, before) if by.abs() < 0.005 => format!("as {before}"),
        (by, before) => {
            let word = if by > 0.0 { "up" } else { "down" };
            format!("{word} from {} {before}", number(score.pretest))
        }
    };
    Some(format!(
        "{} {verb}: likelihood {likelihood}, {moved}; first among its conditions is {}{}.",
        capitalised(named(score.origin)),
        lowered(&plain(&condition.label)),
        also.unwrap_or_default(),
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

/// For whom or what the likelihoods are not made.
fn caution(notices: &[Notice]) -> Option<String> {
    let is_about = |code: &str| notices.iter().any(|notice| notice.code == code);
    let said = [
        (
            "PATIENT_OUT_OF_SCOPE",
            "The likelihoods are made for adults and may not hold for this patient.",
        ),
        (
            "SAFETY_ANSWER_UNEXPLAINED",
            "A sign of danger was sent, and no red flag says why: look into it.",
        ),
        (
            "ACUTE_INJURY",
            "An injury was sent: the likelihoods weigh neither fractures nor ruptures, which must be excluded first.",
        ),
        ("CONTRADICTION", "Some findings contradict each other and need checking."),
    ];
    said.into_iter().find(|(code, _)| is_about(code)).map(|(_, sentence)| sentence.to_owned())
}

/// Where none of the conditions is the likeliest, the sentence on the leading origin has said so.
fn unexplained(assessment: &Assessment) -> Option<String> {
    let lead = assessment.origins.first()?.likelihood;
    let unexplained = assessment.unexplained.filter(|share| (0.2..=lead).contains(share))?;
    let share = number(unexplained);
    Some(format!("With probability {share} none of the conditions weighed explains the pain."))
}

/// Never a reassurance: what was not asked, or else what is not ruled out, is said.
fn unasked(rules: &Rules, safety: &Safety) -> Option<String> {
    let total = rules.questions.len();
    if total == 0 {
        return Some("No red flag was looked for, since this version has none.".to_owned());
    }
    let has_fired = !safety.fired.is_empty();
    let asked = match (safety.questions.len(), safety.open.len()) {
        (0, _) if has_fired => return None,
        (0, 0) => "Every question of safety was answered, yet the rules miss cases".to_owned(),
        (0, 1) => "One red flag is not ruled out".to_owned(),
        (0, open) => format!("{open} red flags are not ruled out"),
        (1, _) => "One question of safety was not answered".to_owned(),
        (count, _) if count == total => "No question of safety was answered".to_owned(),
        (count, _) => format!("{count} of {total} questions of safety were not answered"),
    };
    let warning = if has_fired { "" } else { ": that no red flag fired is no reassurance" };
    Some(format!("{asked}{warning}."))
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

/// A level in percent, with no more digits than it has.
fn percent(level: f64) -> f64 {
    (level * 1e6).round() / 1e4
}

/// A label without what it has in brackets.
fn plain(label: &str) -> String {
    match (label.split_once(" ("), label.split_once(')')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => label.to_owned(),
    }
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
