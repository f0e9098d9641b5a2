//! Files that are read again while the server runs: on SIGHUP, and when they changed.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};

use super::Parts;
use crate::access::Access;
use crate::grpc::Models;
use crate::telemetry::Metrics;

/// Lines of a reason that are logged.
const TOLD: usize = 4;

/// Reads the knowledge bases again; `None` when they did not change.
pub type ReadModels = dyn FnMut() -> Option<Result<Models, String>> + Send;

/// What is read again.
pub struct Reload {
    parts: Parts,
    read_models: Box<ReadModels>,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

impl Reload {
    /// Reads again what these parts were made of.
    #[must_use]
    pub const fn new(parts: Parts, read_models: Box<ReadModels>) -> Self {
        Self { parts, read_models }
    }

    /// Reads on every SIGHUP and, where a time is told, as often. Never ends.
    ///
    /// # Errors
    /// When the signal cannot be caught.
    pub async fn run(mut self, check: Option<Duration>) -> std::io::Result<()> {
        let mut asked = signal(SignalKind::hangup())?;
        // A check that is never wanted comes in thirty years.
        let mut ticks = interval(check.unwrap_or(Duration::from_hours(24 * 365 * 30)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = asked.recv() => info!("asked to read the files again"),
                _ = ticks.tick() => {}
            }
            // Files are read, and models calibrated, away from the threads that serve.
            let read = tokio::task::spawn_blocking(move || {
                self.once();
                self
            });
            let Ok(read) = read.await else { return Ok(()) };
            self = read;
        }
    }

    /// Reads everything once. What is faulty is reported and what was loaded before stays in use.
    fn once(&mut self) {
        let Parts { live, tls, access, metrics, audit: _ } = &self.parts;
        if let Some(tls) = tls {
            tell(metrics, "certificates", tls.reload().map_err(|error| error.to_string()));
        }
        if let Some(tokens) = access.as_deref().and_then(Access::tokens) {
            tell(metrics, "keys", tokens.reload().map_err(|error| error.to_string()));
        }
        match (self.read_models)() {
            Some(Ok(models)) => {
                live.replace(models);
                tell(metrics, "knowledge", Ok(true));
            }
            Some(Err(error)) => tell(metrics, "knowledge", Err(error)),
            None => {}
        }
        self.parts.show();
    }
}

fn tell(metrics: &Metrics, what: &'static str, outcome: Result<bool, String>) {
    match outcome {
        Ok(false) => {}
        Ok(true) => {
            metrics.reloaded(what, true);
            info!(what, "read again and in use");
        }
        Err(reason) => {
            metrics.reloaded(what, false);
            let reason = brief(&reason);
            error!(what, reason, "read again and faulty: what was loaded before stays in use");
        }
    }
}

/// The first few lines of a reason: the others of a broken knowledge base mostly follow from them.
fn brief(reason: &str) -> String {
    let lines: Vec<&str> = reason.lines().collect();
    let told = lines.iter().take(TOLD).copied().collect::<Vec<_>>().join("; ");
    match lines.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told}; and {more} more, which `heel-origin check-config` lists"),
    }
}
