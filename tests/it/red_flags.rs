//! Red flags and questions of safety, by the cases of `tests/rules/red_flags.jsonl`.

use std::collections::{BTreeMap, BTreeSet};

use heel_origin::domain::Side;
use heel_origin::intake::{self, Choice, Draft};
use heel_origin::rules::{self, Atom, Safety};
use serde::Deserialize;

use crate::facts::{Sent, atom_id, draft, facts, finding, lines, told};
use crate::support::RULES;

fn safety(age: Option<u32>, findings: &[(&str, bool)]) -> Safety {
    RULES.safety(&facts(&draft(age, told(findings))))
}

pub(crate) fn fired(safety: &Safety) -> Vec<&'static str> {
    safety.fired.iter().map(|result| RULES.red_flags[result.flag].id.as_str()).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlagCase {
    flag: String,
    kind: String,
    why: String,
    age: Option<u32>,
    findings: BTreeMap<String, Sent>,
    #[serde(default)]
    open: Vec<String>,
    #[serde(default)]
    by: Vec<String>,
}

/// The id under which the rules know a finding.
fn own_id(id: &str) -> &str {
    match &RULES.knowledge.terms[id] {
        rules_term @ heel_origin::knowledge::Term::YesNo(_) => {
            let heel_origin::knowledge::Term::YesNo(subject) = rules_term else { unreachable!() };
            RULES.knowledge.id(*subject)
        }
        heel_origin::knowledge::Term::Measured(_) => panic!("{id} takes a number"),
    }
}

#[test]
fn every_red_flag_fires_misses_and_asks() {
    let cases: Vec<FlagCase> = lines("red_flags.jsonl");
    let mut broken = Vec::new();
    for case in &cases {
        let findings = case.findings.iter().map(|(id, sent)| finding(id, *sent, None)).collect();
        let safety = RULES.safety(&facts(&draft(case.age, findings)));
        let of = |result: &&rules::RedFlagResult| RULES.red_flags[result.flag].id == case.flag;
        let (fires, open) = (safety.fired.iter().find(of), safety.open.iter().find(of));
        let is_right = match case.kind.as_str() {
            "fires" => fires.is_some_and(|result| !result.because.is_empty()),
            "near_miss" => fires.is_none() && open.is_none(),
            "suppressed" => {
                let all = fired(&safety);
                fires.is_none() && case.by.iter().all(|by| all.contains(&by.as_str()))
            }
            "not_asked" => open.is_some_and(|result| {
                let unasked: Vec<String> = result.unasked.iter().map(atom_id).collect();
                case.open.iter().all(|id| unasked.iter().any(|unasked| unasked == own_id(id)))
            }),
            other => panic!("unknown kind {other}"),
        };
        if !is_right {
            let told = |result: &rules::RedFlagResult| {
                let ids = |atoms: &[Atom]| atoms.iter().map(atom_id).collect::<Vec<_>>().join(" ");
                format!("because {}; not asked {}", ids(&result.because), ids(&result.unasked))
            };
            let (fires, open) = (fires.map(told), open.map(told));
            let FlagCase { flag, kind, why, .. } = case;
            broken.push(format!("{flag} {kind}: {why}\n  fires {fires:?} open {open:?}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    for flag in &RULES.red_flags {
        for kind in ["fires", "near_miss", "not_asked"] {
            let is_shown = |case: &FlagCase| case.flag == flag.id && case.kind == kind;
            assert!(cases.iter().any(is_shown), "{} has no case that {kind}", flag.id);
        }
    }
}

#[test]
fn the_traps_of_heel_pain_fire_nothing() {
    let quiet: [&[(&str, bool)]; 5] = [
        &[("bilateral_symptoms", true)],
        &[("night_pain", true), ("low_back_pain", true)],
        &[("urinary_incontinence", true), ("low_back_pain", true), ("urinary_disturbance", false)],
        &[("heel_numbness", true), ("bilateral_symptoms", true), ("leg_weakness", true)],
        &[("first_step_pain", true), ("plantar_medial_heel_pain", true)],
    ];
    for findings in quiet {
        assert_eq!(fired(&safety(Some(58), findings)), [""; 0], "{findings:?}");
    }
    // Absence of fever excludes no infection, and a stress fracture is not cleared by another finding.
    assert!(
        fired(&safety(None, &[("calcaneal_squeeze_test", true), ("night_pain", true)]))
            .contains(&"calcaneal_stress_fracture")
    );
    let infected = [("hot_swollen_joint", true), ("fever", false), ("acute_onset", true)];
    assert_eq!(fired(&safety(None, &infected)), ["septic_arthritis"]);
}

#[test]
fn the_most_urgent_flag_stands_first() {
    let findings = [
        ("claudication", true),
        ("history_of_cancer", true),
        ("low_back_pain", true),
        ("saddle_sensory_change", true),
    ];
    let safety = safety(Some(70), &findings);
    assert_eq!(
        fired(&safety),
        [
            "cauda_equina_syndrome",
            "metastatic_spinal_cord_compression",
            "spinal_malignancy",
            "peripheral_arterial_disease"
        ]
    );
    let urgency = |result: &rules::RedFlagResult| RULES.red_flags[result.flag].urgency;
    assert!(
        safety.fired.is_sorted_by_key(urgency) && RULES.red_flags.is_sorted_by_key(|f| f.urgency)
    );
}

#[test]
fn danger_on_the_other_side_is_not_overlooked() {
    let swollen = finding("calf_swelling_unilateral", Sent::YesNo(true), Some(Side::Left));
    let other = Draft { side: Choice::Known(Side::Right), ..draft(None, vec![swollen]) };
    let accepted = intake::case(&other, &RULES, 0).unwrap();
    assert!(accepted.notices.iter().any(|notice| notice.code == "OTHER_SIDE_NOT_USED"));
    assert_eq!(fired(&RULES.safety(&accepted.facts)), ["deep_vein_thrombosis"]);
    // A calf that is not swollen on the other side says nothing of this one.
    let thin = finding("calf_swelling_unilateral", Sent::YesNo(false), Some(Side::Left));
    let other = Draft { side: Choice::Known(Side::Right), ..draft(None, vec![thin]) };
    let safety = RULES.safety(&facts(&other));
    assert!(safety.questions.iter().any(|(index, _)| RULES.questions[*index].id == "calf"));
}

#[test]
fn questions_of_safety_go_when_they_are_answered() {
    let asked = |findings: &[(&str, bool)]| -> BTreeSet<&str> {
        let safety = safety(None, findings);
        safety.questions.iter().map(|(index, _)| RULES.questions[*index].id.as_str()).collect()
    };
    let all = asked(&[]);
    assert_eq!(all.len(), 12);
    // Without diabetes there is no diabetic foot, and one of two answers leaves the other to be asked.
    assert!(!asked(&[("diabetes", false)]).contains("diabetic_foot"));
    assert!(asked(&[("diabetes", true)]).contains("diabetic_foot"));
    assert!(asked(&[("urinary_disturbance", false)]).contains("bladder_bowel"));
    assert!(!asked(&[("urinary_disturbance", true)]).contains("bladder_bowel"));
    let every: Vec<(&str, bool)> = RULES
        .questions
        .iter()
        .flat_map(|question| question.answered.atoms())
        .filter_map(Atom::subject)
        .map(|subject| (RULES.knowledge.id(subject), false))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(asked(&every), BTreeSet::new());
    assert!(safety(None, &every).fired.is_empty());
}

#[test]
fn a_dangerous_answer_without_a_flag_is_told() {
    let safety = safety(None, &[("fever", true), ("saddle_sensory_change", true)]);
    let unexplained: Vec<String> = safety.unexplained.iter().map(atom_id).collect();
    assert_eq!(unexplained, ["fever"], "the other fires its flag");
    let facts = facts(&draft(None, told(&[("fever", true)])));
    let notices = RULES.notices(&facts, &RULES.safety(&facts));
    let own = notices.iter().find(|notice| notice.code == "SAFETY_ANSWER_UNEXPLAINED").unwrap();
    assert_eq!(own.subjects, ["fever"]);
}

#[test]
fn an_exclusion_is_no_ground() {
    let safety = safety(None, &[("fever", true), ("mechanical_pattern", true)]);
    for own in &safety.open {
        let because: Vec<String> = own.because.iter().map(atom_id).collect();
        let id = RULES.red_flags[own.flag].id.as_str();
        let excludes = ["complex_regional_pain_syndrome", "bone_or_soft_tissue_tumour"];
        assert!(!excludes.contains(&id) || because.is_empty(), "{id}: {because:?}");
    }
}
