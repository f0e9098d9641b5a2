//! `knowledge check` and `knowledge export`.

use std::process::ExitCode;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::Model;
use crate::rules::Rules;
use crate::{export, startup};

use super::{DATA, Failure, print};

pub(super) fn check(config: &Config) -> Result<ExitCode, Failure> {
    let (model, rules) = model(config)?;
    print(export::report(&model, &rules).trim_end())
}

pub(super) fn export(config: &Config) -> Result<ExitCode, Failure> {
    let network = export::network(&model(config)?.0);
    let text =
        serde_json::to_string_pretty(&network).map_err(|error| Failure::new(DATA, &error))?;
    print(&text)
}

pub(super) fn model(config: &Config) -> Result<(Model, Rules), Failure> {
    let rules = startup::load_rules(config)?;
    let model = Model::new(Arc::clone(&rules.knowledge)).map_err(|error| {
        Failure::new(DATA, &format!("the knowledge base cannot be calibrated: {error}"))
    })?;
    Ok((model, rules))
}
