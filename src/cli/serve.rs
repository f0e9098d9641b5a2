//! `serve`.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::config::{Config, Loaded};
use crate::operations::{Parts, Reload, Signals};
use crate::server::{self, Listeners};
use crate::startup::{self, LoadError};
use crate::telemetry::Traces;

use super::{Failure, START_FAILURE, USAGE, start_logs};

/// What to send first: the signs of an S1 root without those of the heel itself.
const EXAMPLE: &str = r#"{"assessment": {"patient": {"age_years": 52, "sex": "SEX_FEMALE"}, "side": "SIDE_RIGHT", "findings": [{"id": "slump_test", "present": true}, {"id": "achilles_reflex_reduced", "present": true}, {"id": "first_step_pain", "present": false}]}}"#;

/// How long the runtime may take to end tasks that outlived the drain.
const LAST_TASKS: Duration = Duration::from_millis(500);

pub(super) fn run(loaded: &Loaded) -> Result<ExitCode, Failure> {
    let config = &loaded.config;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let traces = {
        let _inside = runtime.enter();
        config.traces.as_deref().map(Traces::to).transpose()
    };
    let traces =
        traces.map_err(|error| Failure::new(USAGE, &format!("traces.endpoint: {error}")))?;
    start_logs(loaded, traces.as_ref())?;
    let parts = startup::load_parts(config).map_err(|error| match error {
        LoadError::Setting(_) | LoadError::Instrument(_) | LoadError::SameVersion(..) => {
            Failure::from(error)
        }
        LoadError::Unreadable(..)
        | LoadError::Faulty(..)
        | LoadError::NotWhole(..)
        | LoadError::Calibration(..)
        | LoadError::Certificates(_)
        | LoadError::Keys(_)
        | LoadError::Audit(_) => Failure::new(START_FAILURE, &error),
    })?;
    let result = runtime.block_on(serve(config, parts));
    drop(traces);
    runtime.shutdown_timeout(LAST_TASKS);
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(config: &Config, parts: Parts) -> Result<(), Failure> {
    // Signals are caught before anybody can know that we listen.
    let mut signals = Signals::catch()?;
    let listeners = Listeners::bind(config).await;
    let listeners = listeners.map_err(|error| Failure::new(START_FAILURE, &error))?;
    let address = listeners.public.local_addr()?;
    let admin = listeners.admin.as_ref().map(TcpListener::local_addr).transpose()?;
    announce(config, address, admin)?;
    info!(%address, model.version = parts.live.now().default_version(), "serving");
    if config.callers.is_empty() && !address.ip().is_loopback() {
        warn!("no callers are named: everybody who reaches {address} may call");
    }
    let reload = Reload::new(parts.clone(), startup::changed_models(config));
    tokio::spawn(reload.run(config.reload_check));
    let shutdown = async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            warn!("second signal: ending at once");
            std::process::exit(i32::from(START_FAILURE));
        });
    };
    server::run(config, listeners, parts, shutdown)
        .await
        .map(drop)
        .map_err(|error| Failure::new(START_FAILURE, &error))
}

fn announce(config: &Config, address: SocketAddr, admin: Option<SocketAddr>) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "listening on {address}")?;
    if let Some(admin) = admin {
        writeln!(output, "admin on {admin}")?;
    }
    let security = if config.tls.is_none() { "-plaintext " } else { "" };
    // Without reflection grpcurl has to be given the contract.
    let protos = if config.is_reflection_enabled {
        ""
    } else {
        "-import-path proto -proto heelorigin/v1/scoring_service.proto "
    };
    writeln!(
        output,
        "grpcurl {security}{protos}-d '{EXAMPLE}' {} heelorigin.v1.ScoringService/ScoreFindings",
        reachable(address)
    )?;
    output.flush()
}

/// The address as a client on this machine uses it: nobody can connect to 0.0.0.0 everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}
