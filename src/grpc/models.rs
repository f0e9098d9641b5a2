//! The loaded models and which of them answers.

use std::sync::Arc;

use crate::engine::Model;

/// A loaded model and the setting it takes when a request names none.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// The model.
    pub(super) model: Arc<Model>,
    /// Index of the default setting in the model's knowledge base.
    pub(super) default_setting: usize,
}

impl Loaded {
    /// Version of the knowledge base.
    pub(super) fn version(&self) -> &str {
        &self.model.knowledge().card.version
    }
}

/// All loaded models.
#[derive(Debug)]
pub struct Models {
    default: Loaded,
}

/// The default setting is not among the knowledge base's settings.
#[derive(Debug, thiserror::Error)]
#[error("the knowledge base has no setting `{asked}`; it has {}", known.join(", "))]
pub struct UnknownSetting {
    /// What was asked for.
    pub asked: String,
    /// Ids of the settings it has.
    pub known: Vec<String>,
}

impl Models {
    /// One model, which answers every request.
    ///
    /// # Errors
    /// [`UnknownSetting`] when the knowledge base has no setting of that id.
    pub fn new(model: Arc<Model>, default_setting: &str) -> Result<Self, UnknownSetting> {
        let settings = &model.knowledge().settings;
        let Some(index) = settings.iter().position(|setting| setting.id == default_setting) else {
            let known = settings.iter().map(|setting| setting.id.clone()).collect();
            return Err(UnknownSetting { asked: default_setting.to_owned(), known });
        };
        Ok(Self { default: Loaded { model, default_setting: index } })
    }

    /// The model of a version, the default for an empty one.
    pub(super) fn select(&self, version: &str) -> Option<&Loaded> {
        (version.is_empty() || version == self.default.version()).then_some(&self.default)
    }

    /// All models, the default first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Loaded> {
        std::iter::once(&self.default)
    }

    /// Version of the default model.
    #[must_use]
    pub fn default_version(&self) -> &str {
        self.default.version()
    }
}
