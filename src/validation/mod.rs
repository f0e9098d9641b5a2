//! How good the answers are: on cases with a known cause, and on patients sampled from the model.
//!
//! [`run`] measures, and gives a report in Markdown with its charts as SVG. It is deterministic: all randomness is seeded.

#![expect(clippy::cast_precision_loss, reason = "counts of cases and patients are small")]

mod chart;
mod cohort;
mod influence;
mod measures;
mod prediction;
mod questions;
mod report;
mod sampled;
mod several;
mod simulation;

use std::path::PathBuf;

use crate::engine::Model;
use crate::rules::Rules;
pub use cohort::CohortError;
pub use questions::{Examination, examinations};
pub use report::Report;
pub use sampled::{condition_counts, patients, redrawn};

/// Measures the model on the cases of some files and on sampled patients.
///
/// # Errors
/// [`CohortError`] when a file cannot be read or a line of it is no case.
pub fn run(model: &Model, rules: &Rules, files: &[PathBuf]) -> Result<Report, CohortError> {
    let read = |file: &PathBuf| cohort::read(rules, file);
    let cohorts = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(report::write(model, &cohorts, &simulation::simulate(model)))
}
