//! The command line.
//!
//! Answers go to standard output, everything else to standard error. Exit codes: 0 success, 1 start-up failure or not
//! serving, 64 usage or configuration, 65 faulty data, 66 a file that cannot be read.

mod health;
mod json;
mod knowledge;
mod page;
mod score;
mod serve;
mod validate;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{self, ConfigError, Loaded, Sources};
use crate::startup::{self, LoadError};
use crate::telemetry::{self, Traces};

pub use json::{answer_json, answer_page};

const START_FAILURE: u8 = 1;
const USAGE: u8 = 64;
const DATA: u8 = 65;
const NO_INPUT: u8 = 66;

/// Weighs whether heel pain comes from the spine, the pelvis, a peripheral nerve or the heel itself.
///
/// Supports a clinician and does not diagnose. Without a command it serves.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct Settings {
    /// Configuration file (TOML); deploy/config.example.toml documents every key
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on, such as 127.0.0.1:50051; port 0 takes a free one
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Folder of a knowledge base to use in place of the embedded one
    #[arg(long, global = true, value_name = "FOLDER")]
    knowledge: Option<PathBuf>,
    /// How a log line looks
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<Format>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve gRPC until SIGTERM or SIGINT (the default)
    Serve,
    /// Answer one score request in proto3 JSON without a server: on one page, or in JSON
    Score {
        /// File with the request; `-` reads standard input
        file: PathBuf,
        /// Print the whole answer in proto3 JSON, in the view that the request asks for
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration and every file it names, and print it as merged
    CheckConfig {
        /// Configuration file, the same as --config
        #[arg(conflicts_with = "config")]
        file: Option<PathBuf>,
    },
    /// Ask a server for its health: exit code 0 when it serves
    Health {
        /// Address to ask in plaintext gRPC; without it the configured admin port is asked, or the configured address
        address: Option<SocketAddr>,
    },
    /// Measure the answers on cases with a known cause and on sampled patients; prints a report in Markdown
    Validate {
        /// Files of cases, one JSON object a line
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Folder to write the charts to, as SVG
        #[arg(long, value_name = "FOLDER")]
        charts: Option<PathBuf>,
    },
    /// Check or export the knowledge base
    #[command(subcommand)]
    Knowledge(Knowledge),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Knowledge {
    /// Check the knowledge base and report what is in it
    Check,
    /// Print the compiled network as JSON
    Export,
}

/// Why a command did not do what it should.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: &impl ToString) -> Self {
        Self { code, message: message.to_string() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(USAGE, &format!("the configuration is not valid:\n{error}"))
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let code = match &error {
            LoadError::Setting(_) | LoadError::Instrument(_) | LoadError::SameVersion(..) => USAGE,
            LoadError::Unreadable(..) => NO_INPUT,
            LoadError::Faulty(..) | LoadError::NotWhole(..) | LoadError::Calibration(..) => DATA,
            LoadError::Certificates(_) | LoadError::Keys(_) | LoadError::Audit(_) => START_FAILURE,
        };
        Self::new(code, &error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(START_FAILURE, &error)
    }
}

/// Runs the program.
#[must_use]
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    variables: BTreeMap<String, String>,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failures and go to standard output. A closed pipe is not worth a message.
            error.print().ok();
            return if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    dispatch(arguments, variables).unwrap_or_else(|failure| {
        if !failure.message.is_empty() {
            writeln!(io::stderr(), "{}", failure.message).ok();
        }
        failure.code.into()
    })
}

fn dispatch(
    arguments: Arguments,
    variables: BTreeMap<String, String>,
) -> Result<ExitCode, Failure> {
    let command = arguments.command.unwrap_or(Command::Serve);
    let mut sources = sources(arguments.settings, variables);
    if let Command::CheckConfig { file: Some(file) } = &command {
        sources.file = Some(file.clone());
    }
    let loaded = config::load(&sources)?;
    // What serves starts its logs by itself, together with its traces.
    if !matches!(command, Command::Serve) {
        start_logs(&loaded, None)?;
    }
    match command {
        Command::Serve => serve::run(&loaded),
        Command::Score { file, json } => score::run(&loaded.config, &file, json),
        Command::CheckConfig { .. } => check_config(&loaded),
        Command::Health { address } => health::run(&loaded.config, address),
        Command::Validate { files, charts } => {
            validate::run(&loaded.config, &files, charts.as_deref())
        }
        Command::Knowledge(Knowledge::Check) => knowledge::check(&loaded.config),
        Command::Knowledge(Knowledge::Export) => knowledge::export(&loaded.config),
    }
}

/// Starts the logs and says what the operator should know.
fn start_logs(loaded: &Loaded, traces: Option<&Traces>) -> Result<(), Failure> {
    let started = telemetry::start(loaded.config.log, traces);
    started.map_err(|error| Failure::new(START_FAILURE, &error))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}

fn sources(settings: Settings, variables: BTreeMap<String, String>) -> Sources {
    let format = settings.log_format.map(|format| match format {
        Format::Human => "human".to_owned(),
        Format::Json => "json".to_owned(),
    });
    let folder = settings.knowledge.map(|folder| folder.to_string_lossy().into_owned());
    let flags =
        [("server.listen", settings.listen), ("knowledge.folder", folder), ("log.format", format)];
    let flags = flags.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    Sources { file: settings.config, variables, flags }
}

fn check_config(loaded: &Loaded) -> Result<ExitCode, Failure> {
    startup::check_files(&loaded.config)?;
    let text = toml::to_string(&loaded.raw).map_err(|error| Failure::new(START_FAILURE, &error))?;
    print(text.trim_end())
}

/// Prints an answer.
fn print(answer: &str) -> Result<ExitCode, Failure> {
    writeln!(io::stdout(), "{answer}")?;
    Ok(ExitCode::SUCCESS)
}
