//! Suggestions, reversals, conflict, contributions and the summary.

use std::collections::BTreeMap;

use heel_origin::advice::{self, Answer, StopReason, Suggestion};
use heel_origin::domain::{Case, Detail, Observation, Origin, Unit, expit, logit};
use heel_origin::engine::{self, Outlook};
use heel_origin::intake::{self, Accepted, Choice, Draft, View};
use heel_origin::rules::Safety;

use crate::facts::{draft, told};
use crate::network::model;
use crate::oracle::{empty, telling};
use crate::support::RULES;

fn accepted(age_years: Option<u32>, findings: &[(&str, bool)]) -> Accepted {
    let view = Choice::Known(View::Full);
    intake::case(&Draft { view, ..draft(age_years, told(findings)) }, &RULES, 0).unwrap()
}

fn answer(age: Option<u32>, findings: &[(&str, bool)]) -> Answer {
    advice::answer(model(), &RULES, &accepted(age, findings))
}

/// The suggestions to a case, all of them.
fn suggested(findings: &[(&str, bool)], most: usize) -> Vec<Suggestion> {
    let accepted = Accepted { max_suggestions: most, ..accepted(None, findings) };
    advice::suggest(model(), &RULES, &accepted, &Safety::default()).suggestions
}

fn id(suggestion: &Suggestion) -> &'static str {
    &RULES.knowledge.findings[suggestion.finding].id
}

fn index(id: &str) -> usize {
    RULES.knowledge.findings.iter().position(|finding| finding.id == id).expect(id)
}

fn with(case: &Case, finding: usize, state: Option<bool>) -> Case {
    let mut case = case.clone();
    case.observations.retain(|observation| observation.finding != finding);
    case.observations.extend(state.map(|present| Observation { finding, present }));
    case.observations.sort_by_key(|observation| observation.finding);
    case
}

/// Examples of patients, from a few findings to many.
fn examples() -> Vec<Vec<(&'static str, bool)>> {
    vec![
        vec![("first_step_pain", true)],
        vec![("slump_test", true), ("achilles_reflex_reduced", true), ("first_step_pain", false)],
        vec![("dorsal_foot_sensory_loss", true), ("ankle_dorsiflexion_weakness", true)],
        vec![
            ("medial_calcaneal_tubercle_tenderness", true),
            ("low_back_pain", true),
            ("tinel_tarsal_tunnel", true),
            ("night_pain", false),
            ("worse_on_sitting", true),
            ("buttock_pain", true),
        ],
    ]
}

#[test]
fn what_is_told_of_a_suggestion_is_exact() {
    for findings in examples() {
        let case = accepted(None, &findings).case;
        let now = engine::outlook(model(), &case);
        let suggestions = suggested(&findings, 5);
        assert_eq!(suggestions.len(), 5);
        for own in &suggestions {
            for (state, told) in [(true, &own.if_present), (false, &own.if_absent)] {
                let exact = engine::outlook(model(), &with(&case, own.finding, Some(state)));
                assert_eq!(&exact, told);
            }
            let bits = |after: &Outlook| -> f64 {
                (0..4)
                    .map(|origin| {
                        let (from, to) = (now.likelihood[origin], after.likelihood[origin]);
                        to * (to / from).log2() + (1.0 - to) * ((1.0 - to) / (1.0 - from)).log2()
                    })
                    .sum()
            };
            let expected =
                own.chance * bits(&own.if_present) + (1.0 - own.chance) * bits(&own.if_absent);
            assert!((own.bits - expected).abs() < 1e-9, "{} {expected}", own.bits);
            let changes = |after: &Outlook| if after.lead() == now.lead() { 0.0 } else { 1.0 };
            let changes = own.chance * changes(&own.if_present)
                + (1.0 - own.chance) * changes(&own.if_absent);
            assert!((own.changes_lead - changes).abs() < 1e-12);
        }
        let stop =
            advice::suggest(model(), &RULES, &accepted(None, &findings), &Safety::default()).stop;
        assert!(suggestions.iter().all(|own| own.changes_lead <= stop.changes_lead));
        let bits = |own: &Suggestion| (own.separates.is_none(), -own.bits);
        assert!(suggestions.is_sorted_by(|a, b| bits(a) <= bits(b)));
    }
}

#[test]
fn the_chance_of_a_finding_is_that_of_the_full_joint() {
    // An unclustered finding does not share weight, so its chance follows from the exact masses with and without it.
    for findings in examples() {
        let case = accepted(None, &findings).case;
        let unclustered = |own: &Suggestion| {
            let finding = &RULES.knowledge.findings[own.finding];
            finding.cluster.is_none() && finding.parts.is_empty()
        };
        for own in suggested(&findings, 50).iter().filter(|own| unclustered(own)) {
            let absent = with(&case, own.finding, Some(false));
            let log = |case: &Case| {
                engine::log_evidence(model(), case, &engine::statements(model(), case))
            };
            let alone = with(&empty(0), own.finding, Some(false));
            let background = engine::statements(model(), &alone)[0].background;
            let chance = 1.0 - background * (log(&absent) - log(&case)).exp();
            assert!((own.chance - chance).abs() < 1e-9, "{} {} {chance}", id(own), own.chance);
        }
    }
}

#[test]
fn the_quick_ranking_holds_against_the_exact_one() {
    for findings in examples() {
        let all = suggested(&findings, 50);
        let best = suggested(&findings, 5);
        // What the quick pass left out of the first five is not better than the last of them by more than its tolerance.
        for own in &all {
            let is_named = best.iter().any(|named| named.finding == own.finding);
            assert!(
                is_named || own.separates.is_some() || own.bits < best[4].bits + 0.01,
                "{} {}",
                id(own),
                own.bits
            );
        }
    }
}

#[test]
fn the_separators_of_the_nerves_come_out_on_top() {
    let first = |findings: &[(&str, bool)]| -> Vec<&str> {
        let suggestions = suggested(findings, 5);
        let separating = suggestions.iter().take_while(|own| own.separates.is_some());
        separating.map(id).collect()
    };
    // The L5 root weakens inversion and hip abduction too, the fibular nerve does not.
    let drop = [("dorsal_foot_paraesthesia", true), ("ankle_dorsiflexion_weakness", true)];
    let mut both = first(&drop);
    both.sort_unstable();
    assert_eq!(both, ["ankle_inversion_weakness", "hip_abductor_weakness"]);
    // The S1 root takes the ankle jerk and the heel rise, the sural nerve neither.
    let mut both = first(&[("lateral_foot_paraesthesia", true)]);
    both.sort_unstable();
    assert_eq!(both, ["achilles_reflex_reduced", "plantarflexion_weakness"]);
    // What is known is not asked, and nothing is called for without cause.
    let known = [("lateral_foot_paraesthesia", true), ("achilles_reflex_reduced", true)];
    assert_eq!(first(&known), ["plantarflexion_weakness"]);
    assert_eq!(first(&[("first_step_pain", true)]), [""; 0]);
}

#[test]
fn stopping_has_its_reason() {
    let stop = |findings: &[(&str, bool)]| {
        let accepted = accepted(None, findings);
        advice::suggest(model(), &RULES, &accepted, &Safety::default()).stop
    };
    assert_eq!(stop(&[]).reason, StopReason::GoOn);
    let sure = [
        ("first_step_pain", true),
        ("medial_calcaneal_tubercle_tenderness", true),
        ("windlass_test", true),
        ("plantar_medial_heel_pain", true),
    ];
    assert_eq!(stop(&sure).reason, StopReason::Certain);
    // Never before danger is seen to.
    let fired = RULES.safety(&accepted(None, &[("saddle_sensory_change", true)]).facts);
    let acting = advice::suggest(model(), &RULES, &accepted(None, &sure), &fired).stop;
    assert_eq!(acting.reason, StopReason::ActFirst);
    // Never while a question of safety is unanswered.
    let accepted = accepted(None, &sure);
    let safety = RULES.safety(&accepted.facts);
    let withheld = advice::suggest(model(), &RULES, &accepted, &safety).stop;
    assert_eq!(withheld.reason, StopReason::SafetyUnanswered);
    let every: Vec<(&str, bool)> = RULES
        .knowledge
        .findings
        .iter()
        .filter(|finding| finding.is_informative() && finding.parts.is_empty())
        .map(|finding| (finding.id.as_str(), false))
        .collect();
    let every = &every[..every.len().min(256)];
    let all = accepted_all(every);
    let left = advice::suggest(model(), &RULES, &all, &Safety::default());
    assert!(left.suggestions.is_empty() && left.stop.reason != StopReason::GoOn, "{left:?}");
}

fn accepted_all(findings: &[(&str, bool)]) -> Accepted {
    Accepted { max_suggestions: 50, ..accepted(None, findings) }
}

#[test]
fn effort_is_bounded_and_what_is_known_is_not_asked() {
    let findings = [("slump_test", true), ("back_pain_at_night", true)];
    for (effort, most) in [
        (heel_origin::knowledge::Effort::Asked, heel_origin::knowledge::Effort::Asked),
        (heel_origin::knowledge::Effort::Bedside, heel_origin::knowledge::Effort::Bedside),
    ] {
        let accepted =
            Accepted { max_suggestions: 50, max_effort: effort, ..accepted(None, &findings) };
        let suggestions =
            advice::suggest(model(), &RULES, &accepted, &Safety::default()).suggestions;
        assert!(!suggestions.is_empty());
        for own in &suggestions {
            let finding = &RULES.knowledge.findings[own.finding];
            assert!(finding.effort <= most, "{}", finding.id);
            assert!(finding.part_of.is_none() && finding.id != "slump_test");
            // One of its parts is known, so the whole is not asked again.
            assert_ne!(finding.id, "inflammatory_back_pain");
        }
    }
}

#[test]
fn reversals_are_those_of_the_exact_engine() {
    let mut told = 0;
    for findings in examples() {
        let case = accepted(None, &findings).case;
        let lead = engine::outlook(model(), &case).lead();
        let reversals = answer(None, &findings).details.unwrap().reversals;
        for observation in &case.observations {
            let after = |state| engine::outlook(model(), &with(&case, observation.finding, state));
            let (without, reversed) = (after(None), after(Some(!observation.present)));
            let own = reversals.iter().find(|own| own.finding == observation.finding);
            if without.lead() == lead && reversed.lead() == lead {
                assert!(own.is_none(), "{own:?}");
                continue;
            }
            let own = own.expect("a finding on which the lead hangs is told");
            assert_eq!((own.without, own.reversed), (without, reversed));
            assert_eq!(own.present, observation.present);
            told += 1;
        }
    }
    assert!(told > 2, "{told}");
}

#[test]
fn findings_that_do_not_belong_together_conflict() {
    let nats = |findings: &[(&str, bool)]| {
        let details = answer(Some(50), findings).details.unwrap();
        details.conflict.map(|conflict| (conflict.nats, conflict.units))
    };
    let agreeing =
        [("slump_test", true), ("achilles_reflex_reduced", true), ("s1_sensory_loss", true)];
    let (agree, _) = nats(&agreeing).unwrap();
    assert!(agree < 0.0, "{agree}");
    let clashing = [
        ("first_step_pain", true),
        ("medial_calcaneal_tubercle_tenderness", true),
        ("plantar_heel_tenderness", false),
        ("pain_worse_with_activity", false),
        ("persistent_heel_pain_over_3_months", true),
        ("calcaneal_squeeze_test", true),
        ("achilles_insertion_tenderness", true),
    ];
    let (clash, units) = nats(&clashing).unwrap();
    assert!(agree < clash, "{clash}");
    assert!(units.is_sorted_by(|a, b| a.1 >= b.1));
    assert_eq!(answer(None, &[]).details.unwrap().conflict, None);
}

#[test]
fn conflict_is_the_logarithm_of_a_ratio_of_probabilities() {
    // Two findings of one condition each, outside clusters: the probabilities can be had from the chance of a finding.
    let pair = ["fibular_neck_mass", "mri_adm_atrophy"];
    let chance = |before: &[(&str, bool)], of: &str| {
        let case = accepted(None, before).case;
        let absent = with(&case, index(of), Some(false));
        let log =
            |case: &Case| engine::log_evidence(model(), case, &engine::statements(model(), case));
        let alone = with(&empty(0), index(of), Some(false));
        let background = engine::statements(model(), &alone)[0].background;
        1.0 - background * (log(&absent) - log(&case)).exp()
    };
    let alone = chance(&[], pair[1]);
    let given = chance(&[(pair[0], true)], pair[1]);
    let both = [(pair[0], true), (pair[1], true)];
    let conflict = answer(None, &both).details.unwrap().conflict.unwrap();
    assert!(
        (conflict.nats - (alone / given).ln()).abs() < 1e-6,
        "{} {alone} {given}",
        conflict.nats
    );
}

#[test]
fn a_result_given_the_condition_is_not_that_given_its_absence() {
    let details = |findings: &[(&str, bool)]| {
        let parts = answer(None, findings).assessment.contributions;
        parts.into_iter().flat_map(|part| part.conditions).collect::<Vec<_>>()
    };
    let sciatica = |findings: &[(&str, bool)]| {
        let condition =
            RULES.knowledge.conditions.iter().position(|own| own.id == "sciatica").unwrap();
        let all = details(findings);
        all.into_iter().find(|own| own.condition == condition).unwrap().given.unwrap()
    };
    // A positive slump is seen in most with an irritated root and in few without, a negative one the other way round.
    let (with, without) = sciatica(&[("slump_test", true)]);
    assert!(with > 0.6 && without < 0.4, "{with} {without}");
    let (with_negative, without_negative) = sciatica(&[("slump_test", false)]);
    assert!((with + with_negative - 1.0).abs() < 1e-12);
    assert!((without + without_negative - 1.0).abs() < 1e-12);
    // With nothing else known, Bayes' rule takes the prior odds to the posterior ones by exactly this ratio.
    let condition = RULES.knowledge.conditions.iter().position(|own| own.id == "sciatica").unwrap();
    for present in [true, false] {
        let (given, given_not) = sciatica(&[("slump_test", present)]);
        let assessment = answer(None, &[("slump_test", present)]).assessment;
        let own = assessment.conditions.iter().find(|own| own.condition == condition).unwrap();
        let moved = logit(own.present) - logit(own.pretest);
        assert!((moved - (given / given_not).ln()).abs() < 1e-9, "{moved} {given} {given_not}");
    }
    for own in details(&[("slump_test", true), ("first_step_pain", false), ("diabetes", true)]) {
        assert_eq!(own.given.is_none(), matches!(own.of, Unit::RiskFactor(_)));
        assert!((0.0..=1.0).contains(&own.discount) && own.ratio > 0.0);
    }
}

#[test]
fn contributions_run_from_pretest_to_posterior() {
    for findings in examples() {
        let assessment = answer(Some(40), &findings).assessment;
        let mut running: BTreeMap<Origin, f64> =
            assessment.origins.iter().map(|score| (score.origin, logit(score.pretest))).collect();
        for part in &assessment.contributions {
            for (origin, nats) in Origin::ALL.into_iter().zip(part.nats) {
                *running.get_mut(&origin).unwrap() += nats;
            }
        }
        for score in &assessment.origins {
            assert!((expit(running[&score.origin]) - score.likelihood).abs() < 1e-3);
        }
    }
}

#[test]
fn the_summary_is_plain_english_of_at_most_five_sentences() {
    let mut cases = examples();
    cases.push(vec![]);
    cases.push(vec![("saddle_sensory_change", true), ("foot_drop", true), ("claudication", true)]);
    cases.push(vec![("heel_pain", false), ("slump_test", true)]);
    cases.push(
        RULES
            .questions
            .iter()
            .flat_map(|question| question.answered.atoms())
            .filter_map(heel_origin::rules::Atom::subject)
            .map(|subject| (RULES.knowledge.id(subject), false))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
    );
    for findings in cases {
        let summary = answer(Some(45), &findings).summary;
        println!("{summary}\n");
        let sentences = summary.split_inclusive(". ").count();
        assert!((1..=5).contains(&sentences), "{summary}");
        assert!(summary.ends_with('.') && !summary.contains("  ") && !summary.contains(".."));
        assert!(!summary.contains('_'), "{summary}");
        for sentence in summary.split_inclusive(". ") {
            assert!(sentence.starts_with(|first: char| first.is_uppercase() || first.is_numeric()));
        }
    }
    let urgent = answer(None, &[("saddle_sensory_change", true)]).summary;
    assert!(urgent.starts_with(
        "Red flag, an emergency: suspected cauda equina syndrome; act on this first."
    ));
    assert!(
        answer(None, &[])
            .summary
            .contains("No question of safety was answered: that no red flag fired")
    );
    let injured = answer(None, &[("ankle_injury", true)]).summary;
    assert!(injured.contains("An injury was sent"), "{injured}");
    let everything: Vec<(&str, bool)> =
        telling().into_iter().map(|f| (RULES.knowledge.findings[f].id.as_str(), false)).collect();
    let unexplained = answer(Some(45), &everything).summary;
    assert!(unexplained.contains("none of the conditions weighed explains"), "{unexplained}");
    assert!(!unexplained.contains("most likely"), "{unexplained}");
}

#[test]
fn a_basic_answer_holds_no_details() {
    let mut basic = accepted(None, &[("slump_test", true)]);
    basic.case.detail = Detail::Basic;
    let answer = advice::answer(model(), &RULES, &basic);
    assert_eq!(answer.details, None);
    assert!(!answer.summary.is_empty() && !answer.safety.questions.is_empty());
}
