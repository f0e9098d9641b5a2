//! Red flags, instruments and contradictions, by the cases of `tests/rules`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use heel_origin::domain::{Notice, Sex, Side};
use heel_origin::intake::{self, Choice, Consistency, Draft, DraftFinding, Rejected, Value};
use heel_origin::knowledge::{File, embedded};
use heel_origin::rules::{self, Atom, Facts, InstrumentResult, Rules, Safety, Status};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support::RULES;

fn lines<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// A value as the cases write it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Sent {
    YesNo(bool),
    Number(f64),
}

fn finding(id: &str, sent: Sent, side: Option<Side>) -> DraftFinding {
    let unit = |id| {
        let measure = |f: &&heel_origin::knowledge::Finding| {
            f.measure.as_ref().is_some_and(|measure| measure.id == id)
        };
        let of = RULES.knowledge.findings.iter().find(measure).expect(id);
        of.measure.clone().unwrap().unit
    };
    let value = match sent {
        Sent::YesNo(present) => Value::YesNo(present),
        Sent::Number(value) => Value::Quantity { value, unit: unit(id) },
    };
    let side = side.map_or(Choice::Unset, Choice::Known);
    DraftFinding { id: id.into(), value: Some(value), side }
}

fn draft(age_years: Option<u32>, findings: Vec<DraftFinding>) -> Draft {
    Draft { has_assessment: true, age_years, findings, ..Draft::default() }
}

fn facts(draft: &Draft) -> Facts {
    intake::case(draft, &RULES, 0).unwrap().facts
}

/// The same ids as yes/no findings.
fn told(findings: &[(&str, bool)]) -> Vec<DraftFinding> {
    findings.iter().map(|&(id, present)| finding(id, Sent::YesNo(present), None)).collect()
}

fn safety(age: Option<u32>, findings: &[(&str, bool)]) -> Safety {
    RULES.safety(&facts(&draft(age, told(findings))))
}

fn fired(safety: &Safety) -> Vec<&'static str> {
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

fn atom_id(atom: &Atom) -> String {
    match atom {
        Atom::Present(subject, side) => {
            let side = side.map(|side| if side == Side::Left { "@left" } else { "@right" });
            format!("{}{}", RULES.knowledge.id(*subject), side.unwrap_or_default())
        }
        Atom::Age(..) => "age".into(),
        Atom::Sex(_) => "sex".into(),
        Atom::Fired(flag) => RULES.red_flags[*flag].id.clone(),
    }
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    instrument: String,
    age: Option<u32>,
    findings: Vec<Item>,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    present: Option<bool>,
    value: Option<f64>,
    side: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    score: Option<f64>,
    score_min: Option<f64>,
    score_max: Option<f64>,
    settled: Option<bool>,
    probability: Option<f64>,
    verdict: Option<String>,
    possible: Option<Vec<String>>,
    four: Option<(f64, f64)>,
    four_positive: Option<bool>,
    missing: Option<Vec<String>>,
}

impl Item {
    fn draft(&self) -> DraftFinding {
        let sent = self.present.map(Sent::YesNo).or(self.value.map(Sent::Number)).unwrap();
        let side = self.side.as_deref().map(|side| match side {
            "left" => Side::Left,
            "right" => Side::Right,
            other => panic!("no side {other}"),
        });
        finding(&self.id, sent, side)
    }
}

/// The facts of a draft whose sides may differ: two feet are two answers.
fn result(vector: &Vector) -> InstrumentResult {
    let findings = vector.findings.iter().map(Item::draft).collect();
    let of_feet = vector.findings.iter().any(|item| item.side.is_some());
    let side = if of_feet { Choice::Known(Side::Right) } else { Choice::Unset };
    let facts = facts(&Draft { side, ..draft(vector.age, findings) });
    let results = RULES.instruments(&facts);
    let own =
        |result: &InstrumentResult| RULES.instruments[result.instrument].id == vector.instrument;
    results.into_iter().find(own).expect(&vector.instrument)
}

#[test]
fn instruments_give_the_published_results() {
    let vectors: Vec<Vector> = lines("instruments.jsonl");
    assert_eq!(vectors.len(), 40);
    for vector in &vectors {
        let result = result(vector);
        let instrument = &RULES.instruments[result.instrument];
        let (own, bands) = (&result.readings[0], &instrument.readings[0].bands);
        let verdict = |band: &usize| bands[*band].verdict.clone();
        let expect = &vector.expect;
        if let Some(score) = expect.score {
            assert!((own.score.unwrap() - score).abs() < 5e-5, "{vector:?}\n{own:?}");
            assert_eq!(own.verdict.as_ref().map(verdict), expect.verdict, "{vector:?}");
        } else {
            assert_eq!(own.score, None, "{vector:?}");
        }
        if let Some(bounds) = expect.score_min.zip(expect.score_max) {
            assert_eq!(own.range, bounds, "{vector:?}");
            assert_eq!(Some(own.possible.len() == 1), expect.settled, "{vector:?}");
            let mut possible: Vec<String> = own.possible.iter().map(verdict).collect();
            possible.sort();
            assert_eq!(Some(&possible), expect.possible.as_ref(), "{vector:?}");
        }
        if let Some(probability) = expect.probability {
            assert!((own.probability.unwrap().0 - probability).abs() < 5e-5, "{vector:?}");
        }
        if let Some(bounds) = expect.four {
            assert_eq!(result.readings[1].range, bounds, "{vector:?}");
            let positive = result.readings[1].verdict.map(|band| band == 0);
            assert_eq!(positive, expect.four_positive, "{vector:?}");
        }
        if let Some(missing) = &expect.missing {
            let mut found: Vec<String> = result.missing.iter().map(atom_id).collect();
            found.sort();
            assert_eq!(&found, missing, "{vector:?}");
        }
    }
}

fn instrument(id: &str, draft: &Draft) -> Option<InstrumentResult> {
    let results = RULES.instruments(&facts(draft));
    results.into_iter().find(|result| RULES.instruments[result.instrument].id == id)
}

#[test]
fn an_instrument_says_whom_it_was_made_for() {
    let status = |id, age, findings: &[(&str, bool)]| {
        instrument(id, &draft(age, told(findings))).map(|result| result.status)
    };
    let stiff = ("morning_stiffness_over_30_min", true);
    let berlin = |age, findings: &[_]| status("ibp_berlin_2006", age, findings);
    assert_eq!(berlin(Some(40), &[stiff]), Some(Status::Bounded));
    assert_eq!(berlin(Some(51), &[stiff]), Some(Status::NotApplicable));
    assert_eq!(berlin(Some(40), &[stiff, ("low_back_pain", false)]), Some(Status::NotApplicable));
    assert_eq!(berlin(Some(40), &[]), None, "nothing of it was asked");
    let feet = ("ankle_reflex_absent", true);
    let mnsi = |findings: &[_]| status("mnsi_exam_1994", None, findings);
    assert_eq!(mnsi(&[feet]), Some(Status::NotValidatedPopulation));
    assert_eq!(mnsi(&[feet, ("diabetes", false)]), Some(Status::NotValidatedPopulation));
    assert_eq!(mnsi(&[feet, ("diabetes", true)]), Some(Status::Bounded));
}

#[test]
fn a_result_without_side_counts_once() {
    let laslett = |side| {
        let gaenslen = finding("gaenslen_test", Sent::YesNo(true), side);
        instrument("sij_laslett_2005", &draft(None, vec![gaenslen])).unwrap().readings[0].range
    };
    assert_eq!(laslett(None), (1.0, 6.0));
    assert_eq!(laslett(Some(Side::Left)), (1.0, 6.0));
    assert_eq!(laslett(Some(Side::Both)), (2.0, 6.0));
}

#[test]
fn inflammatory_back_pain_follows_from_its_parts() {
    let parts = [
        ("morning_stiffness_over_30_min", true),
        ("back_pain_at_night", true),
        ("low_back_pain", true),
    ];
    let result = instrument("axspa_lr_product_rudwaleit", &draft(Some(30), told(&parts))).unwrap();
    assert_eq!(result.readings[0].score, Some(3.1));
    // With HLA-B27 known and psoriasis not, the weaker ratio stays possible.
    let mut findings = told(&parts);
    findings.push(finding("hla_b27_positive", Sent::YesNo(true), None));
    let result = instrument("axspa_lr_product_rudwaleit", &draft(Some(30), findings)).unwrap();
    assert!((result.readings[0].score.unwrap() - 27.9).abs() < 1e-9);
    assert!(result.readings[0].range.0 < 27.9 * 5.0 / 9.0 + 1e-9);
}

#[test]
fn contradictions_are_noticed_or_refused() {
    let pair = |first: &str, second: &str| told(&[(first, true), (second, true)]);
    let clashing = draft(None, pair("relief_on_sitting", "worse_on_sitting"));
    let contradiction = |notice: &&Notice| notice.code == "CONTRADICTION";
    let accepted = intake::case(&clashing, &RULES, 0).unwrap();
    let notice = accepted.notices.iter().find(contradiction).unwrap();
    assert_eq!(notice.subjects, ["relief_on_sitting", "worse_on_sitting"]);
    let strict = Draft { consistency: Choice::Known(Consistency::Strict), ..clashing };
    let Err(Rejected::Invalid(violations)) = intake::case(&strict, &RULES, 0) else { panic!() };
    let [violation] = violations.as_slice() else { panic!("{violations:?}") };
    assert_eq!(violation.reason.code(), "CONTRADICTION");
    assert_eq!(
        violation.location,
        intake::Location::Finding(1, intake::FindingField::Value),
        "the later of the two"
    );

    let expecting = draft(None, told(&[("pregnancy_or_postpartum", true)]));
    let noticed = |draft: &Draft| {
        intake::case(draft, &RULES, 0).unwrap().notices.iter().any(|n| n.code == "CONTRADICTION")
    };
    assert!(!noticed(&expecting));
    assert!(noticed(&Draft { sex: Choice::Known(Sex::Male), ..expecting.clone() }));
    assert!(!noticed(&Draft { sex: Choice::Known(Sex::Female), ..expecting }));
}

#[test]
fn each_contradiction_can_be_found() {
    // Each rule is a conjunction: what it names, stated as it names it, must be noticed, but for what it excludes.
    for rule in &RULES.contradictions {
        let (text, exclusion) =
            rule.when.text.split_once(" UNLESS ").unwrap_or((&rule.when.text, ""));
        let mut facts = Facts::default();
        for atom in rule.when.atoms() {
            match atom {
                Atom::Present(subject, _) if exclusion.contains(RULES.knowledge.id(*subject)) => {}
                Atom::Present(subject, _) => {
                    let negated = format!("NOT {}", RULES.knowledge.id(*subject));
                    facts.state(*subject, None, true, !text.contains(&negated));
                }
                Atom::Age(..) => facts.age = heel_origin::domain::AgeYears::new(30),
                Atom::Sex(sex) => facts.sex = Some(*sex),
                Atom::Fired(_) => panic!("{text}"),
            }
        }
        let found = RULES.contradictions(&facts);
        let own = found.iter().find(|found| found.rule == rule).expect(text);
        assert!(own.subjects.iter().all(|own| text.contains(RULES.knowledge.id(*own))), "{text}");
        assert!(RULES.contradictions(&Facts::default()).is_empty());
    }
}

#[test]
fn one_quantity_says_all_that_it_measures() {
    let of = |id: &str, value| facts(&draft(None, vec![finding(id, Sent::Number(value), None)]));
    let fires = |facts: &Facts, id: &str| fired(&RULES.safety(facts)).contains(&id);
    let with = |mut facts: Facts, id: &str| {
        let heel_origin::knowledge::Term::YesNo(subject) = RULES.knowledge.terms[id] else {
            panic!()
        };
        facts.state(subject, None, true, true);
        facts
    };
    for (grade, acute) in [(3.0, true), (4.0, false)] {
        let weak = with(of("ankle_dorsiflexion_power", grade), "motor_deficit_within_14_days");
        assert_eq!(fires(&weak, "foot_drop_acute_or_progressive"), acute, "{grade}");
        let knows = RULES.knowledge.terms["ankle_dorsiflexion_weakness"].clone();
        assert!(matches!(knows, heel_origin::knowledge::Term::YesNo(_)));
    }
    let weak = draft(None, vec![finding("ankle_dorsiflexion_power", Sent::Number(4.0), None)]);
    let accepted = intake::case(&weak, &RULES, 0).unwrap();
    let present = |id: &str| {
        let index = RULES.knowledge.findings.iter().position(|f| f.id == id).unwrap();
        accepted.case.observations.iter().find(|o| o.finding == index).map(|o| o.present)
    };
    assert_eq!(present("ankle_dorsiflexion_weakness"), Some(true));
    assert_eq!(present("ankle_dorsiflexion_power_3_or_less"), Some(false));
}

/// The embedded rules with these implications in place of their own.
fn with_implications(text: &str) -> Result<Rules, heel_origin::knowledge::Faults> {
    let name = "rules/implications.toml";
    let change =
        |file: File| if file.name == name { File { text: text.into(), ..file } } else { file };
    rules::load(&embedded().into_iter().map(change).collect::<Vec<_>>())
}

#[test]
fn danger_follows_from_a_closer_finding() {
    let rules = with_implications(
        r#"
        [[implication]]
        means = "pain_radiating_below_knee"
        when = "s1_dermatomal_pain OR (leg_radicular_pain@left AND leg_radicular_pain@right)"
        note = "it runs to the foot"

        [[implication]]
        means = "leg_pain"
        when = "pain_radiating_below_knee"
        note = "the leg lies below the knee, too"
        "#,
    )
    .unwrap();
    let trigger = "urinary_disturbance";
    let flag = |findings: Vec<DraftFinding>| {
        let safety = rules.safety(&facts(&draft(None, findings)));
        let of =
            |own: &rules::RedFlagResult| rules.red_flags[own.flag].id == "cauda_equina_syndrome";
        safety.fired.iter().find(|own| of(own)).map(|own| own.because.iter().map(atom_id).collect())
    };
    let because: Option<Vec<String>> = flag(told(&[(trigger, true), ("s1_dermatomal_pain", true)]));
    assert_eq!(because.unwrap(), [trigger, "s1_dermatomal_pain"], "what was sent is told");
    // What follows holds against a box that was left unticked.
    let denied = [("pain_radiating_below_knee", false), ("s1_dermatomal_pain", true)];
    assert!(flag(told(&[&[(trigger, true)], denied.as_slice()].concat())).is_some());
    let sides = |sides: &[Side]| {
        let of = |side: &Side| finding("leg_radicular_pain", Sent::YesNo(true), Some(*side));
        sides.iter().map(of).collect::<Vec<_>>()
    };
    let knows = |findings, id: &str| {
        let heel_origin::knowledge::Term::YesNo(subject) = rules.knowledge.terms[id] else {
            panic!()
        };
        rules.is_implied(subject, &facts(&draft(None, findings)))
    };
    assert!(knows(sides(&[Side::Left, Side::Right]), "pain_radiating_below_knee"));
    assert!(!knows(sides(&[Side::Left]), "pain_radiating_below_knee"));
    // By way of the one before, and backwards: what would imply a denied finding is denied.
    assert!(knows(told(&[("s1_dermatomal_pain", true)]), "leg_pain"));
    assert!(knows(told(&[("leg_pain", false)]), "pain_radiating_below_knee"));
    assert!(!knows(told(&[("leg_pain", true)]), "pain_radiating_below_knee"));
    // The likelihoods and the contradictions see what was sent.
    let contradicting = draft(None, told(&[("s1_dermatomal_pain", true), ("leg_pain", false)]));
    assert!(rules.contradictions(&facts(&contradicting)).is_empty());
}

#[test]
fn an_implication_rests_on_those_before_it_only() {
    let circle = r#"
        [[implication]]
        means = "leg_pain"
        when = "thigh_pain"
        note = ""

        [[implication]]
        means = "thigh_pain"
        when = "leg_pain"
        note = ""
        "#;
    let rules = with_implications(circle).unwrap();
    let safety = rules.safety(&facts(&draft(None, told(&[("thigh_pain", true)]))));
    assert!(safety.fired.is_empty());
    let unknown = "[[implication]]\nmeans = \"leg_pan\"\nwhen = \"thigh_pain\"\nnote = \"\"";
    let found = with_implications(unknown).unwrap_err().0;
    assert!(found.iter().any(|fault| fault.file == "rules/implications.toml"), "{found:?}");
}

#[test]
fn every_implication_is_used() {
    let of = |condition: &rules::Condition| {
        condition.atoms().into_iter().filter_map(Atom::subject).collect::<Vec<_>>()
    };
    let flags = RULES.red_flags.iter().flat_map(|flag| of(&flag.trigger));
    let questions = RULES.questions.iter().flat_map(|question| of(&question.answered));
    let asked: Vec<_> = flags.chain(questions).collect();
    for rule in &RULES.implications {
        let id = RULES.knowledge.id(rule.means);
        assert!(asked.contains(&rule.means), "{id} is asked by no flag and no question");
    }
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

/// Faults of files in which a text is replaced.
fn faults(name: &str, from: &str, to: &str) -> Vec<String> {
    let change = |file: File| {
        if file.name != name {
            return file;
        }
        assert!(file.text.contains(from), "{from}");
        File { text: file.text.replacen(from, to, 1), ..file }
    };
    let files: Vec<File> = embedded().into_iter().map(change).collect();
    rules::load(&files).unwrap_err().0.into_iter().map(|fault| fault.to_string()).collect()
}

#[test]
fn a_faulty_rule_is_refused_with_its_line() {
    let flags = "rules/red_flags.toml";
    for (from, to, reason) in [
        (
            "saddle_sensory_change OR",
            "saddle_change OR",
            "no finding, risk factor or earlier red flag has the id `saddle_change`",
        ),
        ("saddle_sensory_change OR", "saddle_sensory_change OR AND", "not understood from"),
        ("saddle_sensory_change OR", "saddle_sensory_change@top OR", "a side is `left` or `right`"),
        ("source = \"girft_2023\"", "source = \"nobody\"", "no source has the id `nobody`"),
        ("id = \"cauda_equina_threatened\"", "id = \"cauda_equina_syndrome\"", "stands twice"),
        ("UNLESS cauda_equina_syndrome", "UNLESS peripheral_arterial_disease", "earlier red flag"),
    ] {
        let found = faults(flags, from, to);
        let is_named = |fault: &String| fault.starts_with(flags) && fault.contains(reason);
        assert!(found.iter().any(is_named), "{reason}\n{found:#?}");
    }
    let instruments = "rules/instruments.toml";
    for (from, to, reason) in [
        (
            "{ from = 7.0, verdict = \"positive\" }",
            "{ from = -9.0, verdict = \"x\" }, { from = 7.0, verdict = \"positive\" }",
            "bands stand the highest first",
        ),
        (
            "targets = [\"lumbar_spinal_stenosis\"]",
            "targets = [\"stenosis\"]",
            "no condition has the id `stenosis`",
        ),
        ("pretest = 0.05", "pretest = 1.0", "strictly between 0 and 1"),
        (
            "\"compression\", \"thigh_thrust\"",
            "\"compresion\", \"thigh_thrust\"",
            "no item of this instrument",
        ),
    ] {
        let found = faults(instruments, from, to);
        assert!(found.iter().any(|fault| fault.contains(reason)), "{reason}\n{found:#?}");
    }
    // Faults of the network and of the rules are told together.
    let both: Vec<File> = embedded()
        .into_iter()
        .map(|file| match file.name.as_str() {
            "clusters.toml" => File { text: file.text.replacen("rho = 0", "rho = 7", 1), ..file },
            "rules/contradictions.toml" => File {
                text: file.text.replacen("[[contradiction]]", "[[contradicton]]", 1),
                ..file
            },
            _ => file,
        })
        .collect();
    let found = rules::load(&both).unwrap_err().0;
    assert!(found.iter().any(|fault| fault.file == "clusters.toml"), "{found:?}");
    assert!(found.iter().any(|fault| fault.file == "rules/contradictions.toml"), "{found:?}");
}

#[test]
fn a_knowledge_base_without_rules_says_nothing() {
    let files: Vec<File> =
        embedded().into_iter().filter(|file| !file.name.starts_with("rules/")).collect();
    let none: Rules = rules::load(&files).unwrap();
    let facts = facts(&draft(None, told(&[("saddle_sensory_change", true)])));
    assert_eq!(none.safety(&facts), Safety::default());
    assert!(none.instruments(&facts).is_empty() && none.contradictions(&facts).is_empty());
}
