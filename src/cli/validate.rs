//! `validate FILE...`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{DATA, Failure, NO_INPUT, START_FAILURE, knowledge, print};
use crate::config::Config;
use crate::validation::{self, CohortError};

pub(super) fn run(
    config: &Config,
    files: &[PathBuf],
    charts: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let (model, rules) = knowledge::model(config)?;
    let report = validation::run(&model, &rules, files).map_err(|error| {
        let unreadable = matches!(error, CohortError::Unreadable { .. });
        Failure::new(if unreadable { NO_INPUT } else { DATA }, &error)
    })?;
    for (name, svg) in report.charts.iter().filter(|_| charts.is_some()) {
        let file = charts.unwrap_or(Path::new(".")).join(name);
        std::fs::write(&file, svg).map_err(|error| {
            Failure::new(START_FAILURE, &format!("cannot write {}: {error}", file.display()))
        })?;
    }
    print(report.text.trim_end())
}
