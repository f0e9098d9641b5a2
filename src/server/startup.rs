//! From the configuration to models that can answer.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{CalibrationError, Model};
use crate::grpc::{Models, UnknownSetting};
use crate::knowledge::{self, Faults, KnowledgeBase};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A knowledge base's folder, named first, cannot be read.
    #[error("the knowledge base cannot be read from {0}: {1}")]
    Unreadable(String, io::Error),
    /// A knowledge base, its folder or `embedded` named first, is faulty.
    #[error("the knowledge base ({0}) is faulty:\n{1}")]
    Faulty(String, Faults),
    /// A knowledge base, named likewise, allows no calibration.
    #[error("the knowledge base ({0}) cannot be calibrated: {1}")]
    Calibration(String, CalibrationError),
    /// `scoring.default_setting` is not a setting.
    #[error("scoring.default_setting: {0}")]
    Setting(#[from] UnknownSetting),
    /// Two knowledge bases have one version, so that nobody could tell which one answered.
    #[error("knowledge.more: {0} and {1} both hold version {2}")]
    SameVersion(String, String, String),
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
    let knowledge = read(default)?;
    let mut places = BTreeMap::from([(knowledge.card.version.clone(), place(default))]);
    let mut models = Models::new(calibrated(knowledge, default)?, &config.default_setting)?;
    for folder in &config.more_knowledge {
        let knowledge = read(Some(folder))?;
        let (version, second) = (knowledge.card.version.clone(), place(Some(folder)));
        if let Some(first) = places.insert(version.clone(), second.clone()) {
            return Err(LoadError::SameVersion(first, second, version));
        }
        models.add(calibrated(knowledge, Some(folder))?, &config.default_setting)?;
    }
    Ok(models)
}

fn calibrated(knowledge: KnowledgeBase, folder: Option<&Path>) -> Result<Arc<Model>, LoadError> {
    let model = Model::new(Arc::new(knowledge));
    let model = model.map_err(|error| LoadError::Calibration(place(folder), error))?;
    Ok(Arc::new(model))
}

fn read(folder: Option<&Path>) -> Result<KnowledgeBase, LoadError> {
    let files = folder.map_or_else(|| Ok(knowledge::embedded()), knowledge::read_folder);
    let files = files.map_err(|error| LoadError::Unreadable(place(folder), error))?;
    knowledge::load(&files).map_err(|faults| LoadError::Faulty(place(folder), faults))
}

fn place(folder: Option<&Path>) -> String {
    folder.map_or_else(|| "embedded".to_owned(), |folder| folder.display().to_string())
}
