//! What the documents name exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every word of a document that stands between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_tests_that_prove_a_control_exist() {
    for document in ["SAFETY.md", "SECURITY.md"] {
        let text = read(document);
        let tests: Vec<&str> =
            quoted(&text).into_iter().filter_map(|word| word.strip_prefix("it::")).collect();
        assert!(10 < tests.len(), "{document} names {tests:?}");
        for test in tests.into_iter().filter(|test| *test != "a::b" && !test.is_empty()) {
            let (file, function) = test.split_once("::").unwrap_or((test, ""));
            let source = read(&format!("tests/it/{file}.rs"));
            // A name is written in full: another test may begin with it.
            let own =
                if function.is_empty() { "fn ".to_owned() } else { format!("fn {function}(") };
            assert!(source.contains(&own), "{document}: there is no test {test}");
        }
    }
}

#[test]
fn the_hardening_scenarios_that_are_named_exist() {
    let main = read("tests/hardening/main.rs");
    for document in ["SAFETY.md", "SECURITY.md"] {
        let text = read(document);
        let after = text.split("hardening").skip(1);
        let named = after.filter_map(|rest| rest.trim_start_matches(['*', ' ']).strip_prefix('`'));
        let named: BTreeSet<&str> = named.filter_map(|rest| rest.split('`').next()).collect();
        assert!(named.contains("faults"), "{document} names {named:?}");
        for scenario in named {
            assert!(
                main.contains(&format!("(\"{scenario}\",")),
                "{document}: no scenario {scenario}"
            );
        }
    }
}

#[test]
fn every_hazard_has_one_row_with_its_ratings() {
    let text = read("SAFETY.md");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| H"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let rating = |cell: &str| -> u32 {
        let (severity, likelihood) = cell.split_once('x').expect(cell);
        severity.parse::<u32>().unwrap() * likelihood.parse::<u32>().unwrap()
    };
    let mut ids: Vec<u32> = rows.iter().map(|row| row[0][1..].parse().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(1..=50), "{ids:?}");
    let (_, left) = text.split_once("after the controls: ").unwrap();
    let (left, _) = left.split_once(" (").unwrap();
    for row in &rows {
        let [id, _, _, before, _, proof, _, after] = row[..] else { panic!("{row:?}") };
        assert!(rating(after) <= rating(before), "{id}");
        assert!(proof.contains('`') || proof.contains("no test"), "{id}: {proof}");
        let is_left = left.replace(" and ", ", ").split(',').any(|own| own.trim() == id);
        assert_eq!(
            is_left,
            10 <= rating(after),
            "{id}: what is not acceptable is listed once more"
        );
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SAFETY.md",
        "SECURITY.md",
        "deploy/README.md",
    ] {
        let text = read(document);
        let folder = Path::new(document).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = folder.join(link);
            let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
            assert!(link.starts_with("http") || there.exists(), "{document}: {link}");
        }
    }
}
