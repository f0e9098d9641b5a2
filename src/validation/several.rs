//! Patients with more than one condition: several true origins, and conditions that are there and do not hurt.

use std::fmt::Write as _;

use super::cohort::Labelled;
use crate::domain::{Assessment, Origin};
use crate::engine::{self, Model};

/// What the service says of the true origins and of the incidental conditions of the cases that have such.
pub(super) fn several(model: &Model, cases: &[&Labelled]) -> String {
    let mut origins = String::new();
    let mut incidental = String::new();
    for labelled in cases {
        let true_origins = labelled.truth.origins.iter().filter(|&&is_true| is_true).count();
        if true_origins < 2 && labelled.incidental.is_none() {
            continue;
        }
        let assessment = engine::assess(model, &labelled.case);
        if true_origins > 1 {
            let cells = true_likelihoods(labelled, &assessment).join("; ");
            let _ = writeln!(origins, "| {} | {cells} |", labelled.id);
        }
        let is_incidental = |condition: usize| labelled.incidental == Some(condition);
        for score in assessment.conditions.iter().filter(|own| is_incidental(own.condition)) {
            let weight = score.weight.map_or("-".to_owned(), |weight| format!("{weight:.2}"));
            let id = &model.knowledge().conditions[score.condition].id;
            let _ = writeln!(
                incidental,
                "| {} | {id} | {:.2} | {weight} |",
                labelled.id, score.present
            );
        }
    }
    let mut text = format!(
        "\n## More than one condition\n\nCases with two true origins, and how likely it is that each contributes; in a constructed case each should be over 0.3.\n\n\
        | case | likelihood |\n|---|---|\n{origins}"
    );
    if !incidental.is_empty() {
        let _ = write!(
            text,
            "\nCases with a condition that is there and does not cause the pain; its weight should be low.\n\n\
            | case | condition | present | weight |\n|---|---|---|---|\n{incidental}"
        );
    }
    text
}

fn true_likelihoods(labelled: &Labelled, assessment: &Assessment) -> Vec<String> {
    let is_true = |origin: &Origin| labelled.truth.origins[origin.index()];
    let likelihood = |origin: Origin| {
        let scores = assessment.origins.iter().filter(move |score| score.origin == origin);
        scores.map(move |score| format!("{} {:.2}", origin.id(), score.likelihood))
    };
    Origin::ALL.into_iter().filter(is_true).flat_map(likelihood).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::validation::cohort;
    use crate::{knowledge, rules};

    #[test]
    fn two_origins_and_an_incidental_condition_are_listed() {
        let rules = rules::load(&knowledge::embedded()).unwrap();
        let model = Model::new(Arc::clone(&rules.knowledge)).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |id: &str, second: &str, incidental: &str| {
            format!(
                r#"{{"id": "{id}", "condition": "plantar_fasciopathy", "second_condition": {second}, "incidental_condition": {incidental},
                "findings": {{"first_step_pain": "present", "crossed_straight_leg_raise": "present"}}, "context": {{}}, "heel_pain": true}}"#
            )
            .replace('\n', " ")
        };
        let lines = [
            line("one", "null", "null"),
            line("two", r#""sciatica""#, "null"),
            line("beside", "null", r#""lumbar_disc_herniation""#),
        ];
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        let cohort = cohort::read(&rules, file.path()).unwrap();
        let text = several(&model, &cohort.cases.iter().collect::<Vec<_>>());
        assert!(text.contains("| two | spinal 0.") && text.contains("; local 0."), "{text}");
        assert!(text.contains("| beside | lumbar_disc_herniation | 0."), "{text}");
        assert!(!text.contains("| one |") && !text.contains("| beside | spinal"), "{text}");
        let single = several(&model, &[&cohort.cases[0]]);
        assert!(!single.contains("does not cause"), "{single}");
    }
}
