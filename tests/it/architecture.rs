//! The rules of the code, read from its source.
//!
//! Each layer knows only those that [`LAYERS`] allows it; the shell lies around them.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
/// Most lines of code of the core, and of each part that stands apart from it.
const PARTS: [(&[&str], usize); 7] = [
    (&["domain", "knowledge", "engine", "intake", "grpc", "server"], 6_000),
    (&["rules"], 1_200),
    (&["advice"], 800),
    (&["catalogue"], 800),
    (&["transport", "access"], 800),
    (&["layers", "audit", "workers"], 700),
    (&["operations"], 300),
];
const NAMES_WITHOUT_A_CONCEPT: [&str; 8] =
    ["utils", "util", "common", "helpers", "helper", "misc", "types", "manager"];

/// The layers of the product, each before those that may know it.
const LAYERS: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("knowledge", &["domain"]),
    ("rules", &["domain", "knowledge"]),
    ("engine", &["domain", "knowledge"]),
    ("intake", &["domain", "knowledge", "rules"]),
    ("advice", &["domain", "knowledge", "rules", "engine", "intake"]),
    ("audit", &["telemetry"]),
    ("workers", &["telemetry"]),
    ("grpc", &["domain", "knowledge", "rules", "engine", "intake", "advice", "audit", "workers"]),
    ("transport", &["telemetry"]),
    ("access", &["transport"]),
    ("layers", &["audit", "grpc", "transport", "access", "telemetry"]),
    ("operations", &["audit", "grpc", "transport", "access", "telemetry"]),
    ("catalogue", &["domain", "knowledge", "rules", "grpc"]),
    ("validation", &["domain", "knowledge", "rules", "engine", "intake", "advice"]),
];

/// The shell around them.
const SHELL: [&str; 6] = ["server", "config", "telemetry", "cli", "export", "startup"];

/// For each layer other words that must not stand in its code.
const FORBIDDEN: [(&str, &[&str]); 10] = [
    (
        "domain",
        &[
            "serde",
            "toml",
            "tonic",
            "prost",
            "tokio",
            "tracing",
            "std::fs",
            "std::env",
            "std::time",
        ],
    ),
    ("knowledge", &["tonic", "prost", "tokio", "tracing", "std::fs", "std::env", "std::time"]),
    ("rules", &["tonic", "prost", "tokio", "tracing", "async", "std::fs", "std::env", "std::time"]),
    (
        "engine",
        &[
            "serde",
            "toml",
            "tonic",
            "prost",
            "tokio",
            "tracing",
            "async",
            "std::fs",
            "std::env",
            "std::time",
            "std::io",
        ],
    ),
    (
        "intake",
        &[
            "serde",
            "toml",
            "tonic",
            "prost",
            "tokio",
            "tracing",
            "async",
            "std::fs",
            "std::env",
            "std::time",
        ],
    ),
    (
        "advice",
        &[
            "serde",
            "toml",
            "tonic",
            "prost",
            "tokio",
            "tracing",
            "async",
            "std::fs",
            "std::env",
            "std::time",
            "std::io",
        ],
    ),
    ("grpc", &["config", "toml", "std::fs", "std::env"]),
    ("catalogue", &["config", "toml", "std::fs", "std::env"]),
    (
        "server",
        &[
            "crate::cli",
            "crate::export",
            "crate::startup",
            "crate::domain",
            "std::env",
            "expit",
            "logit",
        ],
    ),
    (
        "telemetry",
        &["crate::domain", "crate::knowledge", "crate::engine", "crate::intake", "crate::grpc"],
    ),
];

/// A source file with its path below `src`.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// Its lines of code, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_in(&self, layer: &str) -> bool {
        self.name.starts_with(&format!("{layer}/")) || self.name == format!("{layer}.rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(30 < files.len(), "the sources were found");
    let source = |path: PathBuf| Source {
        name: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Whether a line holds a word as a whole: `config` is not in `reconfigure`.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Every place that breaks a rule, so that one run shows them all.
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn a_layer_knows_only_those_before_it() {
    let mut broken = Vec::new();
    let others = |layer: &str, known: &[&str]| -> Vec<String> {
        let all = LAYERS.iter().map(|(name, _)| *name).chain(SHELL);
        let unknown = all.filter(|name| *name != layer && !known.contains(name));
        unknown.map(|name| format!("crate::{name}")).collect()
    };
    let mut forbidden: Vec<(&str, Vec<String>)> =
        LAYERS.iter().map(|(layer, known)| (*layer, others(layer, known))).collect();
    forbidden.push(("config", others("config", &["telemetry", "access", "audit", "transport"])));
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    forbidden.extend(FORBIDDEN.iter().map(|(layer, own)| (*layer, words(own))));
    for source in sources() {
        for (layer, words) in forbidden.iter().filter(|(layer, _)| source.is_in(layer)) {
            for (number, line) in source.code() {
                for word in words.iter().filter(|word| has_word(line, word)) {
                    broken.push(format!("{}:{number}: `{word}` in {layer}", source.name));
                }
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn generated_code_is_named_at_the_wire_only() {
    let mut broken = Vec::new();
    let is_wire = |source: &&Source| source.is_in("grpc") || source.is_in("catalogue");
    for source in sources().iter().filter(|source| !is_wire(source)) {
        for (number, line) in source.code() {
            if ["grpc::pb", "include_proto"].iter().any(|word| has_word(line, word)) {
                broken.push(format!("{}:{number}", source.name));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn a_status_is_made_in_one_file_only() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.name != "grpc/status.rs") {
        for (number, line) in source.code() {
            // A variant of another enum (`ServingStatus::Serving`) begins with a capital, a constructor does not.
            let makes = line.match_indices("Status::").any(|(start, word)| {
                let is_own_word = !line[..start].ends_with(|c: char| c.is_alphanumeric());
                let next = line[start + word.len()..].chars().next();
                is_own_word && next.is_some_and(char::is_lowercase)
            });
            if makes {
                broken.push(format!("{}:{number}: {}", source.name, line.trim()));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn no_file_is_long_and_the_core_is_small() {
    let sources = sources();
    let lines = |source: &Source| source.text.lines().count();
    let long = sources.iter().filter(|source| LONGEST_FILE < lines(source));
    assert_none(
        &long.map(|source| format!("{}: {}", source.name, lines(source))).collect::<Vec<_>>(),
    );
    // Lines of code: what is documented or tested well must not count as large.
    let is_code = |(_, line): &(usize, &str)| !line.trim().is_empty();
    let is_product = |(_, line): &(usize, &str)| line.trim() != "#[cfg(test)]";
    let lines = |source: &Source| source.code().take_while(is_product).filter(is_code).count();
    for (part, most) in PARTS {
        let own = sources.iter().filter(|source| part.iter().any(|layer| source.is_in(layer)));
        let total: usize = own.map(lines).sum();
        assert!(total < most, "{part:?}: {total} lines");
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    let named_badly = |source: &&Source| {
        let parts = source.name.trim_end_matches(".rs").split('/');
        parts.into_iter().any(|part| NAMES_WITHOUT_A_CONCEPT.contains(&part))
    };
    let broken = sources();
    let broken = broken.iter().filter(named_badly).map(|source| source.name.clone());
    assert_none(&broken.collect::<Vec<_>>());
}

#[test]
fn a_word_is_found_as_a_whole_only() {
    assert!(has_word("use config::File;", "config"));
    assert!(!has_word("reconfigure(config_file)", "config"));
    assert!(has_word("crate::config::load()", "crate::config"));
}
