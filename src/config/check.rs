//! From written values to checked ones. Every fault is collected, each beginning with its key.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::raw::{self, RawConfig};
use super::{Config, Log, LogFormat, Server};
use crate::access::{Caller, Known, Role, TokensFile};
use crate::audit::AuditFiles;
use crate::transport::{ClientCertificates, TlsFiles};

/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

type Faults = Vec<String>;

/// Turns written values into checked ones and collects everything that is wrong.
pub(super) fn check(raw: &RawConfig) -> Result<Config, Faults> {
    let mut faults = Faults::new();
    let tls = check_tls(&raw.tls, &mut faults);
    let server = check_server(&raw.server, tls.is_some(), &mut faults);
    let log = check_log(&raw.log, &mut faults);
    let tokens = check_tokens(&raw.access.tokens, &mut faults);
    let callers = check_callers(raw, &mut faults);
    let admin = check_admin(&raw.admin, &mut faults);
    let audit = check_audit(&raw.audit, &mut faults);
    if raw.scoring.default_setting.is_empty() {
        faults.push("scoring.default_setting: must not be empty".to_owned());
    }
    if raw.reload.check_ms > HOUR {
        faults.push(format!("reload.check_ms: must be from 0 to {HOUR}"));
    }
    if !raw.traces.endpoint.is_empty() && !raw.traces.endpoint.starts_with("http://") {
        faults.push("traces.endpoint: must be such as http://127.0.0.1:4317; encryption to a collector elsewhere is that of the collector beside the service".to_owned());
    }
    // An empty variable is a list of one empty name.
    let is_told = |id: &&String| !id.is_empty();
    match (server, log) {
        (Some(server), Some(log)) if faults.is_empty() => Ok(Config {
            server,
            tls,
            tokens,
            callers,
            admin,
            audit,
            traces: Some(&raw.traces.endpoint).filter(is_told).cloned(),
            reload_check: Some(raw.reload.check_ms).filter(|ms| 0 < *ms).map(Duration::from_millis),
            is_reflection_enabled: raw.reflection.enabled,
            log,
            knowledge_folder: named(&raw.knowledge.folder),
            more_knowledge: raw.knowledge.more.iter().filter_map(|folder| named(folder)).collect(),
            default_setting: raw.scoring.default_setting.clone(),
            instruments_off: raw.scoring.instruments_off.iter().filter(is_told).cloned().collect(),
        }),
        _ => Err(faults),
    }
}

/// A path that is told.
fn named(path: &Path) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then(|| path.to_owned())
}

fn check_server(raw: &raw::Server, is_encrypted: bool, faults: &mut Faults) -> Option<Server> {
    let listen = listen_address(raw, is_encrypted).map_err(|fault| faults.push(fault)).ok();
    let mut within = |key: &str, value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            faults.push(format!("server.{key}: must be from {least} to {most}"));
        }
        Duration::from_millis(value)
    };
    let request_timeout = within("request_timeout_ms", raw.request_timeout_ms, 1, HOUR);
    let shutdown_grace = within("shutdown_grace_ms", raw.shutdown_grace_ms, 1, HOUR);
    let lame_duck = within("lame_duck_ms", raw.lame_duck_ms, 0, HOUR);
    let max_connection_age =
        within("max_connection_age_ms", raw.max_connection_age_ms, 1_000, 24 * HOUR);
    let first_request = within("first_request_timeout_ms", raw.first_request_timeout_ms, 1, HOUR);
    if raw.max_connections == 0 {
        faults.push("server.max_connections: must be 1 or more".to_owned());
    }
    for (key, value) in
        [("workers", raw.workers), ("queue", raw.queue), ("max_connections", raw.max_connections)]
    {
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
        first_request,
        max_connections: raw.max_connections,
        workers: raw.workers,
        queue: raw.queue,
    })
}

fn listen_address(raw: &raw::Server, is_encrypted: bool) -> Result<SocketAddr, String> {
    let address: SocketAddr = raw.listen.parse().map_err(|_| {
        format!("server.listen: `{}` is not an address such as 127.0.0.1:50051", raw.listen)
    })?;
    if address.ip().is_loopback() || is_encrypted || raw.allow_plaintext_beyond_loopback {
        return Ok(address);
    }
    Err(format!(
        "server.listen: {address} can be reached from other machines and nothing is encrypted; name tls.certificate and tls.private_key, or set server.allow_plaintext_beyond_loopback = true where the network protects it"
    ))
}

fn check_log(raw: &raw::Log, faults: &mut Faults) -> Option<Log> {
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

fn check_tls(raw: &raw::Tls, faults: &mut Faults) -> Option<TlsFiles> {
    let authorities = named(&raw.client_authorities);
    let need = match raw.client_certificates.as_str() {
        "required" => Some(ClientCertificates::Required),
        "allowed" => Some(ClientCertificates::Allowed),
        _ => None,
    };
    if need.is_none() {
        faults.push("tls.client_certificates: must be required or allowed".to_owned());
    }
    match (named(&raw.certificate), named(&raw.private_key)) {
        (Some(certificate), Some(private_key)) => {
            Some(TlsFiles { certificate, private_key, clients: authorities.zip(need) })
        }
        (None, None) => {
            if authorities.is_some() {
                faults.push("tls.client_authorities: callers show certificates only where tls.certificate and tls.private_key are named".to_owned());
            }
            None
        }
        (None, Some(_)) => {
            faults.push("tls.certificate: must be named beside tls.private_key".to_owned());
            None
        }
        (Some(_), None) => {
            faults.push("tls.private_key: must be named beside tls.certificate".to_owned());
            None
        }
    }
}

fn check_tokens(raw: &raw::Tokens, faults: &mut Faults) -> Option<TokensFile> {
    let parts = [
        ("keys", raw.keys.as_os_str().is_empty()),
        ("issuer", raw.issuer.is_empty()),
        ("audience", raw.audience.is_empty()),
    ];
    if parts.iter().all(|(_, is_empty)| *is_empty) {
        return None;
    }
    for (key, _) in parts.iter().filter(|(_, is_empty)| *is_empty) {
        faults.push(format!("access.tokens.{key}: keys, issuer and audience are named together"));
    }
    let raw::Tokens { keys, issuer, audience } = raw.clone();
    Some(TokensFile { keys, issuer, audience })
}

fn check_callers(raw: &RawConfig, faults: &mut Faults) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    for (position, own) in raw.access.callers.iter().enumerate() {
        let mut fault = |reason: &str| {
            faults.push(format!("access.callers[{position}] ({}): {reason}", own.name));
        };
        if own.name.is_empty() || known.iter().any(|other| other.caller.name == own.name) {
            fault("needs a name of its own");
        }
        let role = |id: &String| Role::ALL.into_iter().find(|(_, known)| known == id);
        let roles: Vec<Role> = own.roles.iter().filter_map(role).map(|(role, _)| role).collect();
        if roles.is_empty() || roles.len() < own.roles.len() {
            fault("roles are some of score, knowledge, admin");
        }
        let is_kind =
            |name: &String| ["dns:", "uri:", "email:"].iter().any(|kind| name.starts_with(kind));
        if !own.certificates.iter().all(is_kind) {
            fault(
                "certificates are names such as dns:clinic.example, uri:spiffe://hospital/clinic or email:a@b.example",
            );
        }
        if own.certificates.is_empty() && own.subjects.is_empty() {
            fault("needs certificates or subjects to be known by");
        }
        if !own.certificates.is_empty() && raw.tls.client_authorities.as_os_str().is_empty() {
            fault("certificates are verified only where tls.client_authorities is named");
        }
        if !own.subjects.is_empty() && raw.access.tokens.keys.as_os_str().is_empty() {
            fault("subjects are verified only where access.tokens.keys is named");
        }
        let taken = |other: &&Known| {
            let shares =
                |own: &[String], other: &[String]| own.iter().any(|name| other.contains(name));
            shares(&own.certificates, &other.certificates) || shares(&own.subjects, &other.subjects)
        };
        if let Some(other) = known.iter().find(taken) {
            fault(&format!("shares a certificate or subject with {}", other.caller.name));
        }
        known.push(Known {
            caller: Caller { name: own.name.clone(), roles },
            certificates: own.certificates.clone(),
            subjects: own.subjects.clone(),
        });
    }
    let is_verified = !raw.access.tokens.keys.as_os_str().is_empty();
    if known.is_empty() && is_verified {
        faults.push(
            "access.callers: tokens are verified and nobody is named whom they could make known"
                .to_owned(),
        );
    }
    known
}

fn check_admin(raw: &raw::Admin, faults: &mut Faults) -> Option<SocketAddr> {
    if raw.listen.is_empty() {
        return None;
    }
    let address = raw.listen.parse().ok();
    if address.is_none() {
        faults.push(format!(
            "admin.listen: `{}` is not an address such as 127.0.0.1:50052; empty for none",
            raw.listen
        ));
    }
    address
}

fn check_audit(raw: &raw::Audit, faults: &mut Faults) -> Option<AuditFiles> {
    match (named(&raw.log), named(&raw.key)) {
        (Some(log), Some(key)) => Some(AuditFiles { log, key, is_synced: raw.sync }),
        (None, None) => None,
        (Some(_), None) => {
            faults.push(
                "audit.key: the audit log needs a key of 32 bytes or more for its request codes"
                    .to_owned(),
            );
            None
        }
        (None, Some(_)) => {
            faults.push("audit.log: must be named beside audit.key".to_owned());
            None
        }
    }
}
