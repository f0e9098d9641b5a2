//! Danger that no red flag names by itself, or that a milder one would hide.

use heel_origin::advice::{self, StopReason};
use heel_origin::intake::{self, Choice, Draft, View};
use heel_origin::rules::Atom;

use crate::facts::{draft, told};
use crate::network::model;
use crate::support::{FIRST, FIRST_RULES, RULES};

const LOCAL: [(&str, bool); 4] = [
    ("first_step_pain", true),
    ("medial_calcaneal_tubercle_tenderness", true),
    ("windlass_test", true),
    ("plantar_medial_heel_pain", true),
];

/// Every question of safety answered with no.
fn denied() -> Vec<(&'static str, bool)> {
    let asked = RULES.questions.iter().flat_map(|question| question.answered.atoms());
    let mut ids: Vec<&str> =
        asked.filter_map(Atom::subject).map(|subject| RULES.knowledge.id(subject)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| (id, false)).collect()
}

/// The answer in full to these findings, each of which may correct one before it.
fn answer(findings: &[(&'static str, bool)]) -> advice::Answer {
    let mut own: Vec<(&str, bool)> = Vec::new();
    for finding in findings {
        own.retain(|(id, _)| *id != finding.0);
        own.push(*finding);
    }
    let view = Choice::Known(View::Full);
    let accepted = intake::case(&Draft { view, ..draft(Some(52), told(&own)) }, &RULES, 0).unwrap();
    advice::answer(model(), &RULES, &accepted)
}

#[test]
fn a_sign_of_danger_forbids_the_stop_though_every_question_was_denied() {
    let calm = [denied(), LOCAL.to_vec()].concat();
    let stop = answer(&calm).details.unwrap().suggestions.stop;
    assert_eq!(stop.reason, StopReason::Certain, "without a sign there may be a stop");
    let signs = RULES.questions.iter().filter_map(|question| question.signs.as_ref());
    let signs: Vec<&str> = signs.flat_map(|signs| signs.text.split(" OR ")).collect();
    assert!(20 < signs.len(), "{signs:?}");
    for sign in signs {
        let answer = answer(&[calm.clone(), vec![(sign, true)]].concat());
        let stop = answer.details.unwrap().suggestions.stop;
        assert_eq!(stop.reason, StopReason::ActFirst, "{sign}");
        let is_told = answer.notices.iter().any(|own| own.code == "SAFETY_ANSWER_UNEXPLAINED");
        assert!(is_told || !answer.safety.fired.is_empty(), "{sign} is told");
    }
}

#[test]
fn a_mild_flag_does_not_hide_an_open_emergency() {
    let cold = ["cold_limb", "absent_pedal_pulses", "pallor_or_mottling"].map(|id| (id, true));
    let answer = answer(&[denied(), cold.to_vec()].concat());
    let said = "rule out what is more urgent: suspected acute limb ischaemia";
    assert!(answer.summary.contains(said), "{}", answer.summary);
}

#[test]
fn a_version_without_rules_never_stops() {
    let view = Choice::Known(View::Full);
    let draft = Draft { view, ..draft(Some(52), told(&LOCAL)) };
    let accepted = intake::case(&draft, &FIRST_RULES, 0).unwrap();
    let stop = advice::answer(&FIRST, &FIRST_RULES, &accepted).details.unwrap().suggestions.stop;
    assert_eq!(stop.reason, StopReason::SafetyUnanswered);
}
