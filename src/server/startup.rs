//! From the configuration to models that can answer.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{CalibrationError, Model};
use crate::grpc::{Models, UnknownSetting};
use crate::knowledge::{self, Faults, KnowledgeBase};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A knowledge base's folder cannot be read.
    #[error("the knowledge base cannot be read from {}: {error}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A knowledge base is faulty.
    #[error("the knowledge base ({place}) is faulty:\n{faults}")]
    Faulty {
        /// Its folder, or `embedded`.
        place: String,
        /// What is wrong.
        faults: Faults,
    },
    /// A knowledge base allows no calibration.
    #[error("the knowledge base ({place}) cannot be calibrated: {error}")]
    Calibration {
        /// Its folder, or `embedded`.
        place: String,
        /// Why.
        error: CalibrationError,
    },
    /// `scoring.default_setting` is not a setting.
    #[error("scoring.default_setting: {0}")]
    Setting(#[from] UnknownSetting),
    /// Two knowledge bases have one version, so that nobody could tell which one answered.
    #[error("knowledge.more: {first} and {second} both hold version {version}")]
    SameVersion {
        /// Folder of the first, or `embedded`.
        first: String,
        /// Folder of the second.
        second: String,
        /// Their version.
        version: String,
    },
}

/// Reads and checks the configured knowledge base.
///
/// # Errors
/// [`LoadError`] says what is wrong with it.
pub fn load_knowledge(config: &Config) -> Result<KnowledgeBase, LoadError> {
    read(config.knowledge_folder.as_deref())
}

/// Calibrates the configured knowledge bases.
///
/// # Errors
/// [`LoadError`] says what is wrong with them.
pub fn load_models(config: &Config) -> Result<Models, LoadError> {
    let default = config.knowledge_folder.as_deref();
    let model = calibrated(default)?;
    let mut places = BTreeMap::from([(model.knowledge().card.version.clone(), place(default))]);
    let mut models = Models::new(model, &config.default_setting)?;
    for folder in &config.more_knowledge {
        let model = calibrated(Some(folder))?;
        let version = model.knowledge().card.version.clone();
        let second = place(Some(folder));
        if let Some(first) = places.insert(version.clone(), second.clone()) {
            return Err(LoadError::SameVersion { first, second, version });
        }
        models.add(model, &config.default_setting)?;
    }
    Ok(models)
}

fn calibrated(folder: Option<&Path>) -> Result<Arc<Model>, LoadError> {
    let model = Model::new(Arc::new(read(folder)?));
    let model = model.map_err(|error| LoadError::Calibration { place: place(folder), error })?;
    Ok(Arc::new(model))
}

fn read(folder: Option<&Path>) -> Result<KnowledgeBase, LoadError> {
    let files = match folder {
        None => knowledge::embedded(),
        Some(folder) => knowledge::read_folder(folder)
            .map_err(|error| LoadError::Unreadable { folder: folder.to_owned(), error })?,
    };
    knowledge::load(&files).map_err(|faults| LoadError::Faulty { place: place(folder), faults })
}

fn place(folder: Option<&Path>) -> String {
    folder.map_or_else(|| "embedded".to_owned(), |folder| folder.display().to_string())
}
