//! The loaded models and which of them answers.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::audit::AnsweredBy;
use crate::engine::Model;
use crate::rules::Rules;

/// A loaded model and the setting it takes when a request names none.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// The model.
    pub(crate) model: Arc<Model>,
    /// The rules beside it.
    pub(crate) rules: Arc<Rules>,
    /// Index of the default setting in the model's knowledge base.
    pub(crate) default_setting: usize,
}

impl Loaded {
    /// Digest of the knowledge base, for the audit log.
    pub(super) fn answered_by(&self) -> AnsweredBy {
        AnsweredBy(self.model.knowledge().digest.clone())
    }

    /// Version of the knowledge base.
    pub(crate) fn version(&self) -> &str {
        &self.model.knowledge().card.version
    }
}

/// All loaded models, each of another version.
#[derive(Debug)]
pub struct Models {
    /// Never empty, the default first.
    loaded: Vec<Loaded>,
}

/// The models that answer now. New ones take their place while requests finish with those they began with.
#[derive(Debug)]
pub struct Live(ArcSwap<Models>);

impl Live {
    /// These models answer.
    #[must_use]
    pub fn new(models: Models) -> Self {
        Self(ArcSwap::from_pointee(models))
    }

    /// The models of this moment.
    #[must_use]
    pub fn now(&self) -> Arc<Models> {
        self.0.load_full()
    }

    /// From now on these answer.
    pub fn replace(&self, models: Models) {
        self.0.store(Arc::new(models));
    }
}

/// The default setting is not among the knowledge base's settings.
#[derive(Debug, thiserror::Error)]
#[error("knowledge base {version} has no setting `{asked}`; it has {}", known.join(", "))]
pub struct UnknownSetting {
    /// Version of the knowledge base.
    pub version: String,
    /// What was asked for.
    pub asked: String,
    /// Ids of the settings it has.
    pub known: Vec<String>,
}

impl Models {
    /// One model, which answers every request that names no version.
    ///
    /// # Errors
    /// [`UnknownSetting`] when the knowledge base has no setting of that id.
    pub fn new(
        model: Arc<Model>,
        rules: Arc<Rules>,
        default_setting: &str,
    ) -> Result<Self, UnknownSetting> {
        let mut models = Self { loaded: Vec::new() };
        models.add(model, rules, default_setting)?;
        Ok(models)
    }

    /// Adds a model of another version, which answers the requests that name it.
    ///
    /// # Errors
    /// [`UnknownSetting`] when the knowledge base has no setting of that id.
    pub fn add(
        &mut self,
        model: Arc<Model>,
        rules: Arc<Rules>,
        default_setting: &str,
    ) -> Result<(), UnknownSetting> {
        let settings = &model.knowledge().settings;
        let index = settings.iter().position(|setting| setting.id == default_setting);
        let default_setting = index.ok_or_else(|| UnknownSetting {
            version: model.knowledge().card.version.clone(),
            asked: default_setting.to_owned(),
            known: settings.iter().map(|setting| setting.id.clone()).collect(),
        })?;
        self.loaded.push(Loaded { model, rules, default_setting });
        Ok(())
    }

    /// The model of a version, the default for an empty one.
    pub(crate) fn select(&self, version: &str) -> Option<&Loaded> {
        self.all().find(|loaded| version.is_empty() || version == loaded.version())
    }

    /// All models, the default first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Loaded> {
        self.loaded.iter()
    }

    /// Version and digest of each, the default first.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().map(|loaded| (loaded.version(), loaded.model.knowledge().digest.as_str()))
    }

    /// Version of the default model.
    #[must_use]
    pub fn default_version(&self) -> &str {
        self.loaded[0].version()
    }
}
