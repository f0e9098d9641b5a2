//! The files of a knowledge base, and those in the binary.

/// A file of a knowledge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the knowledge base's folder, with `/` between its parts.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Names of the embedded files, each with its text.
macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("base/", $name)))),+]
    };
}

const EMBEDDED: &[(&str, &str)] = embed![
    "associations.toml",
    "clusters.toml",
    "conditions.toml",
    "findings/complaint.toml",
    "findings/history.toml",
    "findings/nerve_and_heel.toml",
    "findings/pelvis.toml",
    "findings/safety.toml",
    "findings/spine.toml",
    "left_out.toml",
    "model.toml",
    "risk_factors.toml",
    "rules/contradictions.toml",
    "rules/implications.toml",
    "rules/instruments.toml",
    "rules/red_flags.toml",
    "rules/separators.toml",
    "settings.toml",
    "sources.toml",
];

/// The files in the binary, ordered by name.
#[must_use]
pub fn embedded() -> Vec<File> {
    let file = |(name, text): &(&str, &str)| File { name: (*name).into(), text: (*text).into() };
    EMBEDDED.iter().map(file).collect()
}
