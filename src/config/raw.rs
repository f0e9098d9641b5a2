//! The keys as they are written, with their defaults.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The keys as they are written, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    pub(super) server: Server,
    pub(super) tls: Tls,
    pub(super) access: Access,
    pub(super) admin: Admin,
    pub(super) reflection: Reflection,
    pub(super) log: Log,
    pub(super) traces: Traces,
    pub(super) audit: Audit,
    pub(super) knowledge: Knowledge,
    pub(super) scoring: Scoring,
    pub(super) reload: Reload,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: String,
    pub(super) allow_plaintext_beyond_loopback: bool,
    pub(super) request_timeout_ms: u64,
    pub(super) shutdown_grace_ms: u64,
    pub(super) lame_duck_ms: u64,
    pub(super) max_connection_age_ms: u64,
    pub(super) first_request_timeout_ms: u64,
    pub(super) max_connections: usize,
    pub(super) workers: usize,
    pub(super) queue: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:50051".to_owned(),
            allow_plaintext_beyond_loopback: false,
            request_timeout_ms: 5_000,
            shutdown_grace_ms: 10_000,
            lame_duck_ms: 500,
            max_connection_age_ms: 1_800_000,
            first_request_timeout_ms: 10_000,
            max_connections: 1024,
            workers: 0,
            queue: 128,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reflection {
    pub(super) enabled: bool,
}

impl Default for Reflection {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) format: String,
    pub(super) level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: "human".to_owned(), level: "info".to_owned() }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Knowledge {
    pub(super) folder: PathBuf,
    pub(super) more: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Scoring {
    pub(super) default_setting: String,
    pub(super) instruments_off: Vec<String>,
}

impl Default for Scoring {
    fn default() -> Self {
        Self { default_setting: "primary_care".to_owned(), instruments_off: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) private_key: PathBuf,
    pub(super) client_authorities: PathBuf,
    pub(super) client_certificates: String,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            private_key: PathBuf::new(),
            client_authorities: PathBuf::new(),
            client_certificates: "required".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Access {
    pub(super) tokens: Tokens,
    pub(super) callers: Vec<Caller>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tokens {
    pub(super) keys: PathBuf,
    pub(super) issuer: String,
    pub(super) audience: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Caller {
    pub(super) name: String,
    pub(super) roles: Vec<String>,
    pub(super) certificates: Vec<String>,
    pub(super) subjects: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    pub(super) listen: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Traces {
    pub(super) endpoint: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    pub(super) log: PathBuf,
    pub(super) key: PathBuf,
    pub(super) sync: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reload {
    pub(super) check_ms: u64,
}

impl Default for Reload {
    fn default() -> Self {
        Self { check_ms: 10_000 }
    }
}
