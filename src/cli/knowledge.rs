//! `knowledge check` and `knowledge export`.

use std::process::ExitCode;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::Model;
use crate::{export, server};

use super::{DATA, Failure, print};

pub(super) fn check(config: &Config) -> Result<ExitCode, Failure> {
    print(export::report(&model(config)?).trim_end())
}

pub(super) fn export(config: &Config) -> Result<ExitCode, Failure> {
    let network = export::network(&model(config)?);
    let text =
        serde_json::to_string_pretty(&network).map_err(|error| Failure::new(DATA, &error))?;
    print(&text)
}

pub(super) fn model(config: &Config) -> Result<Model, Failure> {
    let knowledge = Arc::new(server::load_knowledge(config)?);
    Model::new(knowledge).map_err(|error| {
        Failure::new(DATA, &format!("the knowledge base cannot be calibrated: {error}"))
    })
}
