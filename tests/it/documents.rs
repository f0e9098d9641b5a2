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
            assert!(
                source.contains(&format!("fn {function}")),
                "{document}: there is no test {test}"
            );
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
