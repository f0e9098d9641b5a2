//! `VALIDATION.md` and its charts are what the program writes.

use std::path::{Path, PathBuf};

use heel_origin::validation;

use crate::network::model;
use crate::support::RULES;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Words, and numbers apart: another machine's last digit may round the other way.
fn parts(text: &str) -> (Vec<&str>, Vec<f64>) {
    let words = text.split(|c: char| c.is_whitespace() || "()|,;:%".contains(c));
    let (numbers, words): (Vec<&str>, Vec<&str>) = words
        .filter(|word| !word.is_empty())
        .partition(|word| word.trim_end_matches('.').parse::<f64>().is_ok());
    (words, numbers.iter().map(|number| number.trim_end_matches('.').parse().unwrap()).collect())
}

#[test]
fn the_report_in_the_repository_is_that_of_this_model() {
    let files = ["tests/cases/published.jsonl", "tests/cases/constructed.jsonl"].map(file);
    let report = validation::run(model(), &RULES, &files).unwrap();
    let stored = std::fs::read_to_string(file("VALIDATION.md")).unwrap();
    let ((words, numbers), (stored_words, stored_numbers)) = (parts(&report.text), parts(&stored));
    let changed = words.iter().zip(&stored_words).find(|(word, stored)| word != stored);
    assert_eq!(changed, None, "make VALIDATION.md anew as README.md says");
    assert_eq!((words.len(), numbers.len()), (stored_words.len(), stored_numbers.len()));
    for (number, stored) in numbers.iter().zip(&stored_numbers) {
        let near = (number - stored).abs() <= 0.011 + 0.002 * stored.abs();
        assert!(near, "{number} is not {stored}: make VALIDATION.md anew as README.md says");
    }
    for (name, svg) in &report.charts {
        assert!(svg.ends_with("</svg>\n"), "{name} is drawn to its end");
        assert!(file("tests/validation").join(name).is_file(), "{name} is in the repository");
    }
}

#[test]
fn a_faulty_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases.jsonl");
    let line = |condition: &str, finding: &str| {
        format!(
            r#"{{"id": "a", "condition": "{condition}", "findings": {{"{finding}": "present"}}, "context": {{}}, "heel_pain": true}}"#
        )
    };
    for (text, told) in [
        (line("gout", "slump_test"), "line 2: no condition has the id gout"),
        (line("sciatica", "slump_tset"), "line 2: no finding has this id; did you mean slump_test"),
        ("{".to_owned(), "line 2: EOF"),
    ] {
        std::fs::write(&cases, format!("{}\n{text}\n", line("sciatica", "slump_test"))).unwrap();
        let error =
            validation::run(model(), &RULES, std::slice::from_ref(&cases)).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let missing =
        validation::run(model(), &RULES, &[folder.path().join("none.jsonl")]).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read "));
}
