//! Traces to an OpenTelemetry collector, joined to those of callers by their W3C context.

use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Longest time for the last traces to leave.
const LAST: Duration = Duration::from_secs(2);
const NAME: &str = "heel-origin";

/// Sends traces until it is dropped; then what waits is sent, for a moment.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends to an endpoint such as `http://127.0.0.1:4317`. A caller's decision to trace or not is kept. Must be made inside a runtime.
    ///
    /// # Errors
    /// When the endpoint is none.
    pub fn to(endpoint: &str) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
            .with_resource(Resource::builder().with_service_name(NAME).build())
            .build();
        Ok(Self(provider))
    }

    /// What turns spans into traces. Neither places in the code nor threads go with them.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, opentelemetry_sdk::trace::SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.0.tracer(NAME))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is gone must not hold up the end.
        self.0.shutdown_with_timeout(LAST).ok();
    }
}

/// The one header that is read: ids and a flag. `tracestate` is free text of callers for services further on, and there is none.
const PARENT: &str = "traceparent";

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).filter(|_| key == PARENT)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT]
    }
}

/// Makes a span part of the trace that a caller's `traceparent` names, if traces are sent at all.
pub(super) fn join(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    // Without traces there is nothing to join.
    span.set_parent(context).ok();
}
