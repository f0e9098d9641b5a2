//! From the configuration to models that can answer.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{CalibrationError, Model};
use crate::grpc::{Models, UnknownSetting};
use crate::knowledge::{self, Faults, KnowledgeBase};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The knowledge base's folder cannot be read.
    #[error("the knowledge base cannot be read from {}: {error}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The knowledge base is faulty.
    #[error("the knowledge base is faulty:\n{0}")]
    Faulty(Faults),
    /// The knowledge base allows no calibration.
    #[error("the knowledge base cannot be calibrated: {0}")]
    Calibration(CalibrationError),
    /// `scoring.default_setting` is not a setting.
    #[error("scoring.default_setting: {0}")]
    Setting(#[from] UnknownSetting),
}

/// Reads and checks the configured knowledge base.
///
/// # Errors
/// [`LoadError`] says what is wrong with it.
pub fn load_knowledge(config: &Config) -> Result<KnowledgeBase, LoadError> {
    let files = match &config.knowledge_folder {
        None => knowledge::embedded(),
        Some(folder) => knowledge::read_folder(folder)
            .map_err(|error| LoadError::Unreadable { folder: folder.clone(), error })?,
    };
    knowledge::load(&files).map_err(LoadError::Faulty)
}

/// Calibrates the configured knowledge base.
///
/// # Errors
/// [`LoadError`] says what is wrong with it.
pub fn load_models(config: &Config) -> Result<Models, LoadError> {
    let knowledge = Arc::new(load_knowledge(config)?);
    let model = Model::new(knowledge).map_err(LoadError::Calibration)?;
    Ok(Models::new(Arc::new(model), &config.default_setting)?)
}
