//! From the configuration to models that can answer.

mod folder;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use self::folder::{Folder, NotWhole};
use crate::access::{Access, Tokens, TokensError};
use crate::audit::{Audit, AuditError};
use crate::config::Config;
use crate::engine::{CalibrationError, Model};
use crate::grpc::{Live, Models, UnknownSetting};
use crate::knowledge::{self, Faults};
use crate::operations::{Parts, ReadModels};
use crate::rules::{self, Rules, UnknownInstrument};
use crate::telemetry::Metrics;
use crate::transport::{Tls, TlsError};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A knowledge base's folder, named first, cannot be read.
    #[error("the knowledge base cannot be read from {0}: {1}")]
    Unreadable(String, io::Error),
    /// A knowledge base, its folder or `embedded` named first, is faulty.
    #[error("the knowledge base ({0}) is faulty:\n{1}")]
    Faulty(String, Faults),
    /// The folder of a knowledge base, named first, is not as its checksums say.
    #[error("the knowledge base ({0}) is not whole: {1}")]
    NotWhole(String, NotWhole),
    /// A knowledge base, named like a faulty one, allows no calibration.
    #[error("the knowledge base ({0}) cannot be calibrated: {1}")]
    Calibration(String, CalibrationError),
    /// The certificates are unfit.
    #[error("tls: {0}")]
    Certificates(#[from] TlsError),
    /// The keys of tokens are unfit.
    #[error("access.tokens.keys: {0}")]
    Keys(#[from] TokensError),
    /// The audit log cannot be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// `scoring.instruments_off` names what is no instrument.
    #[error("scoring.instruments_off: {0}")]
    Instrument(#[from] UnknownInstrument),
    /// `scoring.default_setting` is not a setting.
    #[error("scoring.default_setting: {0}")]
    Setting(#[from] UnknownSetting),
    /// Two knowledge bases have one version, so that nobody could tell which one answered.
    #[error("knowledge.more: {0} and {1} both hold version {2}")]
    SameVersion(String, String, String),
}

/// Everything that a server answers by.
///
/// # Errors
/// [`LoadError`] says what is wrong with the files.
pub fn load_parts(config: &Config) -> Result<Parts, LoadError> {
    let tls = config.tls.clone().map(Tls::load).transpose()?;
    let access = load_access(config)?;
    Ok(Parts {
        live: Arc::new(Live::new(load_models(config)?)),
        tls: tls.map(Arc::new),
        access: access.map(Arc::new),
        audit: config.audit.as_ref().map(Audit::open).transpose()?,
        metrics: Metrics::new(),
    })
}

/// The table of callers; `None` where everybody may call.
fn load_access(config: &Config) -> Result<Option<Access>, LoadError> {
    let tokens = config.tokens.clone().map(Tokens::load).transpose()?;
    Ok((!config.callers.is_empty()).then(|| Access::new(config.callers.clone(), tokens)))
}

/// Checks everything that a server would answer by, and opens nothing for writing.
///
/// # Errors
/// [`LoadError`] says what is wrong with the files.
pub fn check_files(config: &Config) -> Result<(), LoadError> {
    load_access(config)?;
    config.tls.clone().map(Tls::load).transpose()?;
    config.audit.as_ref().map(Audit::check).transpose()?;
    load_models(config).map(drop)
}

/// Reads the configured knowledge bases again whenever it is called and their files changed since the last time.
#[must_use]
pub fn changed_models(config: &Config) -> Box<ReadModels> {
    let config = config.clone();
    let mut last = folders(&config);
    Box::new(move || {
        let now = folders(&config);
        if now == last {
            return None;
        }
        last = now;
        Some(load_models(&config).map_err(|error| error.to_string()))
    })
}

/// What all configured folders hold; `None` for one that cannot be read.
fn folders(config: &Config) -> Vec<Option<Folder>> {
    let all = config.knowledge_folder.iter().chain(&config.more_knowledge);
    all.map(|folder| Folder::read(folder).ok()).collect()
}

/// Reads and checks the configured knowledge base with its rules.
///
/// # Errors
/// [`LoadError`] says what is wrong with it.
pub fn load_rules(config: &Config) -> Result<Rules, LoadError> {
    read(config.knowledge_folder.as_deref())
}

/// Calibrates the configured knowledge bases.
///
/// # Errors
/// [`LoadError`] says what is wrong with them.
pub fn load_models(config: &Config) -> Result<Models, LoadError> {
    let default = config.knowledge_folder.as_deref();
    let mut rules = read(default)?;
    rules.switch_off(&config.instruments_off)?;
    let mut places = BTreeMap::from([(rules.knowledge.card.version.clone(), place(default))]);
    let model = calibrated(&rules, default)?;
    let mut models = Models::new(model, Arc::new(rules), &config.default_setting)?;
    for folder in &config.more_knowledge {
        let mut rules = read(Some(folder))?;
        // An earlier version may not have an instrument of the default one.
        let off = config.instruments_off.iter().filter(|id| rules.has_instrument(id));
        rules.switch_off(&off.cloned().collect::<Vec<_>>())?;
        let (version, second) = (rules.knowledge.card.version.clone(), place(Some(folder)));
        if let Some(first) = places.insert(version.clone(), second.clone()) {
            return Err(LoadError::SameVersion(first, second, version));
        }
        let model = calibrated(&rules, Some(folder))?;
        models.add(model, Arc::new(rules), &config.default_setting)?;
    }
    Ok(models)
}

fn calibrated(rules: &Rules, folder: Option<&Path>) -> Result<Arc<Model>, LoadError> {
    let model = Model::new(Arc::clone(&rules.knowledge));
    let model = model.map_err(|error| LoadError::Calibration(place(folder), error))?;
    Ok(Arc::new(model))
}

fn read(folder: Option<&Path>) -> Result<Rules, LoadError> {
    let faulty = |faults| LoadError::Faulty(place(folder), faults);
    let Some(path) = folder else { return rules::load(&knowledge::embedded()).map_err(faulty) };
    let read = Folder::read(path);
    let read = read.map_err(|error| LoadError::Unreadable(place(folder), error))?;
    // Faults first: whoever edits a file wants its line, and the checksums differ anyway.
    let rules = rules::load(&read.files).map_err(faulty)?;
    read.check_whole().map_err(|reason| LoadError::NotWhole(place(folder), reason))?;
    Ok(rules)
}

fn place(folder: Option<&Path>) -> String {
    folder.map_or_else(|| "embedded".to_owned(), |folder| folder.display().to_string())
}
