//! Contradictions, implications, shared quantities, and what is said of faulty rules.

use heel_origin::domain::{Notice, Sex, Side};
use heel_origin::intake::{self, Choice, Consistency, Draft, DraftFinding, Rejected};
use heel_origin::knowledge::{File, embedded};
use heel_origin::rules::{self, Atom, Facts, Rules, Safety};

use crate::facts::{Sent, atom_id, draft, facts, finding, told};
use crate::red_flags::fired;
use crate::support::RULES;

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
