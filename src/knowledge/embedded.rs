//! The files of a knowledge base: those in the binary, or those of a folder.

use std::path::Path;
use std::{fs, io};

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
    "findings/spine.toml",
    "left_out.toml",
    "model.toml",
    "risk_factors.toml",
    "settings.toml",
    "sources.toml",
];

/// The files in the binary, ordered by name.
#[must_use]
pub fn embedded() -> Vec<File> {
    let file = |(name, text): &(&str, &str)| File { name: (*name).into(), text: (*text).into() };
    EMBEDDED.iter().map(file).collect()
}

/// The TOML files of a folder and its sub-folders, ordered by name.
///
/// # Errors
/// When the folder or a file of it cannot be read.
pub fn read_folder(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // Mounted configuration often holds links, so follow them; `..data` and other hidden entries are its bookkeeping.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = fs::metadata(entry.path())?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "toml") {
            files.push(File { name, text: fs::read_to_string(entry.path())? });
        }
    }
    Ok(())
}
