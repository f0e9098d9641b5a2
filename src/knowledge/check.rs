//! Faults of a knowledge base: every one, with its file and line.

use std::fmt;

use super::embedded::File;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Name of the file; empty for a fault of the whole.
    pub file: String,
    /// Line, from 1; 0 for a fault of the whole file or of the whole.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => write!(f, "{}", self.reason),
            (file, 0) => write!(f, "{file}: {}", self.reason),
            (file, line) => write!(f, "{file}:{line}: {}", self.reason),
        }
    }
}

/// All faults of a knowledge base: those of the TOML first, since others follow from them, each kind ordered by file and line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Collects faults while a knowledge base is read.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    files: &'a [File],
    /// Faults of the TOML itself.
    syntax: Vec<Fault>,
    faults: Vec<Fault>,
}

impl<'a> Report<'a> {
    pub(crate) const fn new(files: &'a [File]) -> Self {
        Self { files, syntax: Vec::new(), faults: Vec::new() }
    }

    /// Adds a fault at a byte offset of a file.
    pub(crate) fn at(&mut self, file: usize, offset: usize, reason: String) {
        let fault = self.placed(file, offset, reason);
        self.faults.push(fault);
    }

    fn placed(&self, file: usize, offset: usize, reason: String) -> Fault {
        let content = &self.files[file];
        let before = content.text.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Fault { file: content.name.clone(), line, reason }
    }

    /// Adds a fault of the whole.
    pub(crate) fn overall(&mut self, reason: String) {
        self.faults.push(Fault { file: String::new(), line: 0, reason });
    }

    /// Adds a fault of the TOML itself.
    pub(crate) fn error(&mut self, file: usize, error: &toml::de::Error) {
        let offset = error.span().map_or(0, |span| span.start);
        let fault = self.placed(file, offset, error.message().to_owned());
        self.syntax.push(fault);
    }

    /// Adds a fault of an entry that the TOML reader found, at `offset` when it does not say where.
    pub(crate) fn error_near(&mut self, file: usize, offset: usize, error: &toml::de::Error) {
        let offset = error.span().map_or(offset, |span| span.start);
        self.at(file, offset, error.message().to_owned());
    }

    /// Whether nothing is wrong so far.
    pub(crate) const fn is_clean(&self) -> bool {
        self.syntax.is_empty() && self.faults.is_empty()
    }

    /// The faults, in order.
    pub(crate) fn into_faults(mut self) -> Faults {
        self.syntax.sort();
        self.faults.sort();
        self.syntax.append(&mut self.faults);
        Faults(self.syntax)
    }
}
