//! Everything that is counted, in one place. No label comes from a patient or from what a caller sends freely.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of durations, in seconds: from a health check to the time limit of a request.
const SECONDS: [f64; 13] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// What is counted. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Outcome, Counter>,
    durations: Family<Method, Histogram, fn() -> Histogram>,
    /// Requests that were begun and are not answered.
    pub in_flight: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// Time that scoring took on a worker.
    pub engine: Histogram,
    /// Requests refused since too many were waiting.
    pub shed: Counter,
    refusals: Family<Reason, Counter>,
    reloads: Family<Reload, Counter>,
    knowledge: Family<Knowledge, Gauge>,
    /// Seconds since 1970 at which the server's certificate ends.
    pub certificate_ends: Gauge,
    /// Lines that the audit log could not take.
    pub audit_failures: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    method: String,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reload {
    what: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Knowledge {
    version: String,
    digest: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            engine: seconds(),
            shed: Counter::default(),
            refusals: Family::default(),
            reloads: Family::default(),
            knowledge: Family::default(),
            certificate_ends: Gauge::default(),
            audit_failures: Counter::default(),
        };
        let registry = metrics.registered();
        Self { registry: Arc::new(registry), ..metrics }
    }

    fn registered(&self) -> Registry {
        let mut all = Registry::with_prefix("heelorigin");
        all.register(
            "requests",
            "Requests answered, by method and gRPC code",
            self.requests.clone(),
        );
        all.register(
            "request_duration_seconds",
            "Time from a request's head to the end of its answer",
            self.durations.clone(),
        );
        all.register(
            "in_flight_requests",
            "Requests begun and not answered",
            self.in_flight.clone(),
        );
        all.register("open_connections", "Connections open", self.connections.clone());
        all.register(
            "engine_duration_seconds",
            "Time that scoring took on a worker",
            self.engine.clone(),
        );
        all.register(
            "shed_requests",
            "Requests refused since too many were waiting",
            self.shed.clone(),
        );
        all.register(
            "auth_failures",
            "Requests whose caller was not let in, by reason",
            self.refusals.clone(),
        );
        all.register(
            "reloads",
            "Files read again after a change, by what and outcome",
            self.reloads.clone(),
        );
        all.register(
            "knowledge_info",
            "1 for each knowledge base that answers",
            self.knowledge.clone(),
        );
        all.register(
            "certificate_not_after_seconds",
            "When the server's certificate ends, in seconds since 1970; 0 without one",
            self.certificate_ends.clone(),
        );
        all.register(
            "audit_failures",
            "Calls refused since the audit log could not be written",
            self.audit_failures.clone(),
        );
        all
    }

    /// Counts an answered request.
    pub fn answered(&self, method: &str, code: &'static str, took: Duration) {
        let method = method.to_owned();
        self.requests.get_or_create(&Outcome { method: method.clone(), code }).inc();
        self.durations.get_or_create(&Method { method }).observe(took.as_secs_f64());
    }

    /// Counts a caller who was not let in.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// Counts files that were read again.
    pub fn reloaded(&self, what: &'static str, is_sound: bool) {
        let outcome = if is_sound { "success" } else { "failure" };
        self.reloads.get_or_create(&Reload { what, outcome }).inc();
    }

    /// Names the knowledge bases that answer, each by version and digest, in place of those named before.
    pub fn knows<'k>(&self, bases: impl IntoIterator<Item = (&'k str, &'k str)>) {
        self.knowledge.clear();
        for (version, digest) in bases {
            let labels = Knowledge { version: version.to_owned(), digest: digest.to_owned() };
            self.knowledge.get_or_create(&labels).set(1);
        }
    }

    /// All of it in the text format of `OpenMetrics`.
    ///
    /// # Errors
    /// When a label cannot be written.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}
