//! Configuration in layers: defaults, a TOML file, `HEELORIGIN__*` variables, flags. The later wins.
//!
//! Every key is documented in `deploy/config.example.toml`. Files and variables are read nowhere else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat};
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

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

/// The keys as they are written, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    server: RawServer,
    reflection: RawReflection,
    log: RawLog,
    knowledge: RawKnowledge,
    scoring: RawScoring,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawServer {
    listen: String,
    allow_plaintext_beyond_loopback: bool,
    request_timeout_ms: u64,
    shutdown_grace_ms: u64,
    lame_duck_ms: u64,
    max_connection_age_ms: u64,
    workers: usize,
    queue: usize,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:50051".to_owned(),
            allow_plaintext_beyond_loopback: false,
            request_timeout_ms: 5_000,
            shutdown_grace_ms: 10_000,
            lame_duck_ms: 500,
            max_connection_age_ms: 1_800_000,
            workers: 0,
            queue: 128,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawReflection {
    enabled: bool,
}

impl Default for RawReflection {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLog {
    format: String,
    level: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: "human".to_owned(), level: "info".to_owned() }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawKnowledge {
    folder: PathBuf,
    more: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawScoring {
    default_setting: String,
    instruments_off: Vec<String>,
}

impl Default for RawScoring {
    fn default() -> Self {
        Self { default_setting: "primary_care".to_owned(), instruments_off: Vec::new() }
    }
}

/// Merges the sources and checks the result.
///
/// # Errors
/// [`ConfigError`] names what is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let raw = merge(sources)?;
    let config = check(&raw).map_err(ConfigError::Values)?;
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

/// Turns written values into checked ones and collects everything that is wrong.
fn check(raw: &RawConfig) -> Result<Config, Vec<String>> {
    let mut faults = Vec::new();
    let server = check_server(&raw.server, &mut faults);
    let log = check_log(&raw.log, &mut faults);
    if raw.scoring.default_setting.is_empty() {
        faults.push("scoring.default_setting: must not be empty".to_owned());
    }
    let folder = &raw.knowledge.folder;
    // An empty variable is a list of one empty name.
    let is_named = |folder: &&PathBuf| !folder.as_os_str().is_empty();
    let is_told = |id: &&String| !id.is_empty();
    match (server, log) {
        (Some(server), Some(log)) if faults.is_empty() => Ok(Config {
            server,
            is_reflection_enabled: raw.reflection.enabled,
            log,
            knowledge_folder: Some(folder).filter(is_named).cloned(),
            more_knowledge: raw.knowledge.more.iter().filter(is_named).cloned().collect(),
            default_setting: raw.scoring.default_setting.clone(),
            instruments_off: raw.scoring.instruments_off.iter().filter(is_told).cloned().collect(),
        }),
        _ => Err(faults),
    }
}

fn check_server(raw: &RawServer, faults: &mut Vec<String>) -> Option<Server> {
    let listen = listen_address(raw).map_err(|fault| faults.push(fault)).ok();
    let mut within = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            faults.push(format!("server.{key}: must be from {least} to {most}"));
        }
        Duration::from_millis(value)
    };
    let hour = 3_600_000;
    let request_timeout = within("request_timeout_ms", raw.request_timeout_ms, 1, hour);
    let shutdown_grace = within("shutdown_grace_ms", raw.shutdown_grace_ms, 1, hour);
    let lame_duck = within("lame_duck_ms", raw.lame_duck_ms, 0, hour);
    let max_connection_age =
        within("max_connection_age_ms", raw.max_connection_age_ms, 1_000, 24 * hour);
    for (key, value) in [("workers", raw.workers), ("queue", raw.queue)] {
        if value > 65_536 {
            faults.push(format!("server.{key}: must be from 0 to 65536"));
        }
    }
    Some(Server {
        listen: listen?,
        request_timeout,
        shutdown_grace,
        lame_duck,
        max_connection_age,
        workers: raw.workers,
        queue: raw.queue,
    })
}

fn listen_address(raw: &RawServer) -> Result<SocketAddr, String> {
    let address: SocketAddr = raw.listen.parse().map_err(|_| {
        format!("server.listen: `{}` is not an address such as 127.0.0.1:50051", raw.listen)
    })?;
    if address.ip().is_loopback() || raw.allow_plaintext_beyond_loopback {
        return Ok(address);
    }
    Err(format!(
        "server.listen: {address} can be reached from other machines and nothing is encrypted; set server.allow_plaintext_beyond_loopback = true where the network protects it"
    ))
}

fn check_log(raw: &RawLog, faults: &mut Vec<String>) -> Option<Log> {
    let format = match raw.format.as_str() {
        "human" => Some(LogFormat::Human),
        "json" => Some(LogFormat::Json),
        _ => None,
    };
    let level = match raw.level.as_str() {
        "off" => Some(LevelFilter::OFF),
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        "trace" => Some(LevelFilter::TRACE),
        _ => None,
    };
    if format.is_none() {
        faults.push("log.format: must be human or json".to_owned());
    }
    if level.is_none() {
        faults.push("log.level: must be off, error, warn, info, debug or trace".to_owned());
    }
    Some(Log { format: format?, level: level? })
}
