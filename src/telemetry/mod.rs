//! Logs to standard error.
//!
//! Libraries are never logged below `warn`: at `debug` they print headers and frames, which hold what callers send. For the
//! same reason a panic is logged with its location only.

mod metrics;
mod otlp;
mod trace;

use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Subscriber, error};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::config::{Log, LogFormat};

pub use metrics::Metrics;
pub use otlp::Traces;
pub use trace::{Labels, Trace, Traced, Watched, name};

/// Target of everything this crate logs.
const OURS: &str = "heel_origin";

/// Starts logging to standard error, sends traces where they are wanted, and logs panics by their location.
///
/// # Errors
/// When logging was started before.
pub fn start(log: Log, traces: Option<&Traces>) -> Result<(), SetGlobalDefaultError> {
    let spans = traces.map(|traces| {
        traces.layer().with_filter(Targets::new().with_target(OURS, LevelFilter::INFO))
    });
    tracing::subscriber::set_global_default(subscriber(log, std::io::stderr).with(spans))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// What writes the logs to a writer.
pub fn subscriber<W>(
    log: Log,
    writer: W,
) -> impl Subscriber + for<'span> LookupSpan<'span> + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter =
        Targets::new().with_default(log.level.min(LevelFilter::WARN)).with_target(OURS, log.level);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Human => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer().json().with_writer(writer).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter))
}

/// Logs where a panic happened. Its message is left out: it may hold a patient's values.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    error!(location, "panicked");
}
