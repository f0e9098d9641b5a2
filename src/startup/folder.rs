//! A knowledge base's folder on disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::knowledge::File;

/// The file of checksums in a folder, in the form that `sha256sum` writes and checks.
///
/// Half a knowledge base can be sound by itself: a file of red flags that was cut between two of them, or not copied at all, is
/// one with fewer red flags. Only what was written down when the folder was whole can tell.
const SUMS: &str = "SHA256SUMS";

/// What to do about files that are not as written down.
const REMEDY: &str = "after a change on purpose write it anew in that folder: find * -name '*.toml' -exec sha256sum {} + > SHA256SUMS";

/// Why a folder cannot be taken for a whole knowledge base.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// Nobody wrote down what belongs to it.
    #[error("there is no {SUMS}, by which a whole folder is told from one half copied; {REMEDY}")]
    NoSums,
    /// Files that are not as written down, each with what is wrong.
    #[error("it is not as its {SUMS} says: {}; copy the folder again, or {REMEDY}", .0.join(", "))]
    Differs(Vec<String>),
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The TOML files in it and its sub-folders, ordered by name.
    pub files: Vec<File>,
    /// The text of its checksums.
    sums: Option<String>,
}

impl Folder {
    /// Reads a folder.
    ///
    /// # Errors
    /// When the folder or a file of it cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        collect(folder, "", &mut files)?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let sums = match fs::read_to_string(folder.join(SUMS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            sums => Some(sums?),
        };
        Ok(Self { files, sums })
    }

    /// Compares the files with the checksums: neither more nor fewer, and each to the byte.
    ///
    /// # Errors
    /// [`NotWhole`] names what differs.
    pub fn check_whole(&self) -> Result<(), NotWhole> {
        let sums = self.sums.as_ref().ok_or(NotWhole::NoSums)?;
        // A line is a checksum, a space, a space or `*`, and a name.
        let lines = sums.lines().filter_map(|line| line.split_once(' '));
        let mut listed: BTreeMap<&str, &str> =
            lines.map(|(sum, name)| (name.trim_start_matches([' ', '*', '.', '/']), sum)).collect();
        let mut differing = Vec::new();
        for File { name, text } in &self.files {
            match listed.remove(name.as_str()) {
                None => differing.push(format!("{name} is not listed")),
                Some(sum) if sum != sum_of(text) => {
                    differing.push(format!("{name} is changed or incomplete"));
                }
                Some(_) => {}
            }
        }
        differing.extend(listed.keys().map(|name| format!("{name} is missing")));
        if differing.is_empty() { Ok(()) } else { Err(NotWhole::Differs(differing)) }
    }
}

/// SHA-256 in hexadecimal digits.
fn sum_of(text: &str) -> String {
    format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(text)))
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
