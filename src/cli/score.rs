//! `score FILE`.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;
use crate::startup;

use super::{DATA, Failure, NO_INPUT, answer_json, answer_page, print};

pub(super) fn run(config: &Config, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let text = read(file).map_err(|error| {
        Failure::new(NO_INPUT, &format!("cannot read {}: {error}", file.display()))
    })?;
    let models = startup::load_models(config)?;
    let answer = if json { answer_json(&models, &text) } else { answer_page(&models, &text) };
    print(answer.map_err(|refused| Failure::new(DATA, &refused))?.trim_end())
}

fn read(file: &Path) -> io::Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}
