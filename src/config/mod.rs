//! Configuration in layers: defaults, a TOML file, `HEELORIGIN__*` variables, flags. The later wins.
//!
//! Every key is documented in `deploy/config.example.toml`. Files and variables are read nowhere else.

mod check;
mod raw;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use tracing::level_filters::LevelFilter;

use crate::access::{Known, TokensFile};
use crate::audit::AuditFiles;
use crate::transport::TlsFiles;

pub use raw::RawConfig;

const PREFIX: &str = "HEELORIGIN";
const SEPARATOR: &str = "__";

/// Where configuration comes from, the weakest first; defaults lie below.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not start with `HEELORIGIN__` are not read.
    pub variables: BTreeMap<String, String>,
    /// Flags, as key and value.
    pub flags: Vec<(&'static str, String)>,
}

/// The checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The server.
    pub server: Server,
    /// Files of the encryption; `None` for plaintext.
    pub tls: Option<TlsFiles>,
    /// Where tokens are verified by; `None` where none is accepted.
    pub tokens: Option<TokensFile>,
    /// Who may call; empty for everybody.
    pub callers: Vec<Known>,
    /// Address of the admin port; `None` for none.
    pub admin: Option<SocketAddr>,
    /// Files of the audit log; `None` for none.
    pub audit: Option<AuditFiles>,
    /// Where traces are sent, as an OTLP endpoint; `None` for none.
    pub traces: Option<String>,
    /// How often files are looked at for a change; `None` for never.
    pub reload_check: Option<Duration>,
    /// Whether reflection is served.
    pub is_reflection_enabled: bool,
    /// Logs.
    pub log: Log,
    /// Folder of the knowledge base; `None` for the embedded one.
    pub knowledge_folder: Option<PathBuf>,
    /// Folders of further knowledge bases, loaded beside it.
    pub more_knowledge: Vec<PathBuf>,
    /// Setting of an assessment that names none.
    pub default_setting: String,
    /// Ids of the instruments that are switched off.
    pub instruments_off: Vec<String>,
}

/// The server's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Longest time for a request.
    pub request_timeout: Duration,
    /// Longest time for open requests to end after a shutdown began.
    pub shutdown_grace: Duration,
    /// Time between reporting `NOT_SERVING` and refusing connections.
    pub lame_duck: Duration,
    /// Age at which a connection is asked to close.
    pub max_connection_age: Duration,
    /// Longest time from the start of a connection to its first request.
    pub first_request: Duration,
    /// Most connections open at a time.
    pub max_connections: usize,
    /// Requests scored at a time; 0 takes one for each processor.
    pub workers: usize,
    /// Requests that may wait for a worker.
    pub queue: usize,
}

/// The logs' part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Least important level that is written.
    pub level: LevelFilter,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What was loaded, and what the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The configuration as merged, for printing.
    pub raw: RawConfig,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source cannot be read, has an unknown key or a value of another type.
    #[error("{0}")]
    Source(#[from] config::ConfigError),
    /// Values that are not accepted, one `key: reason` each.
    #[error("{}", .0.join("\n"))]
    Values(Vec<String>),
}

/// Merges the sources and checks the result.
///
/// # Errors
/// [`ConfigError`] names what is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let raw = merge(sources)?;
    let config = check::check(&raw).map_err(ConfigError::Values)?;
    Ok(Loaded { config, raw, warnings: warnings(&sources.variables) })
}

fn merge(sources: &Sources) -> Result<RawConfig, config::ConfigError> {
    let mut builder = config::Config::builder();
    if let Some(file) = &sources.file {
        builder = builder.add_source(File::from(Path::new(file)).format(FileFormat::Toml));
    }
    let variables = sources.variables.iter().map(|(key, value)| (key.clone(), value.clone()));
    let environment = Environment::with_prefix(PREFIX)
        .separator(SEPARATOR)
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("knowledge.more")
        .with_list_parse_key("scoring.instruments_off")
        .source(Some(variables.collect()));
    builder = builder.add_source(environment);
    for (key, value) in &sources.flags {
        builder = builder.set_override(*key, value.as_str())?;
    }
    builder.build()?.try_deserialize()
}

/// A variable with our prefix and without a separator is never read: most likely it is misspelt.
fn warnings(variables: &BTreeMap<String, String>) -> Vec<String> {
    let looks_like_ours =
        |key: &&String| key.starts_with("HEELORIGIN_") && !key.contains(SEPARATOR);
    let warning = |key: &String| {
        format!(
            "the variable {key} is not read; configuration variables look like HEELORIGIN__SERVER__LISTEN"
        )
    };
    variables.keys().filter(looks_like_ours).map(warning).collect()
}
