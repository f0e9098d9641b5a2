//! One log line a request, and its metrics.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use prost_reflect::DescriptorPool;
use tonic::Code;
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug, info, info_span};

use super::{Metrics, otlp};

const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_LENGTH: usize = 64;
/// In place of a path that is none of our methods.
const UNKNOWN: &str = "unknown";

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Gives every request an id and one log line: method, code, duration. Nothing a caller sends is in it but a well-formed
/// `x-request-id`.
#[derive(Debug, Clone)]
pub struct Trace {
    methods: Arc<BTreeSet<String>>,
    ids: Arc<RequestIds>,
    metrics: Metrics,
}

impl Trace {
    /// The trace of one server. `contract` is an encoded `FileDescriptorSet` of its methods.
    #[must_use]
    pub fn new(contract: &[u8], metrics: Metrics) -> Self {
        // The contract is compiled in; were it unreadable, the methods would be logged as "unknown" and reflection would fail.
        let pool = DescriptorPool::decode(contract).unwrap_or_default();
        let methods = pool.services().flat_map(|service| {
            let path = |method: prost_reflect::MethodDescriptor| {
                format!("/{}/{}", method.parent_service().full_name(), method.name())
            };
            service.methods().map(path).collect::<Vec<_>>()
        });
        let (methods, ids) = (Arc::new(methods.collect()), Arc::new(RequestIds::new()));
        Self { methods, ids, metrics }
    }
}

impl<S> Layer<S> for Trace {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Traced { inner, trace: self.clone() }
    }
}

/// A service with a [`Trace`].
#[derive(Debug, Clone)]
pub struct Traced<S> {
    inner: S,
    trace: Trace,
}

impl<S, B, R> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = Response<Watched<R>>;
    type Error = S::Error;
    type Future = Answer<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = request.headers().get(REQUEST_ID).filter(|id| is_request_id(id)).cloned();
        let id = id.unwrap_or_else(|| self.trace.ids.next());
        // A path is the caller's text until it turns out to be a method.
        let method = self.trace.methods.get(request.uri().path()).cloned();
        let labels = Labels {
            request_id: id.to_str().unwrap_or_default().to_owned(),
            method: method.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
        };
        let span = info_span!(
            "request",
            method = labels.method,
            request_id = labels.request_id,
            caller = Empty
        );
        otlp::join(&span, request.headers());
        request.extensions_mut().insert(labels);
        let mut outcome = Outcome::new(&self.trace.metrics, span.clone(), method);
        let answer = self.inner.call(request);
        let traced = async move {
            let (mut head, body) = answer.await?.into_parts();
            head.headers.insert(REQUEST_ID, id);
            if let Some(code) = code(&head.headers) {
                outcome.code = code;
            }
            Ok(Response::from_parts(head, Watched { body, outcome }))
        };
        Box::pin(traced.instrument(span))
    }
}

/// The status in a response's head or trailers.
fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// A body that looks for the status at its end.
#[derive(Debug)]
pub struct Watched<R> {
    body: R,
    outcome: Outcome,
}

impl<R: http_body::Body + Unpin> http_body::Body for Watched<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(code) = frame.trailers_ref().and_then(code)
        {
            self.outcome.code = code;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn is_request_id(value: &HeaderValue) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=REQUEST_ID_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(is_allowed)
}

/// Counts a request and writes its log line when it is dropped, so that a call its caller gave up is not lost.
#[derive(Debug)]
struct Outcome {
    metrics: Metrics,
    span: Span,
    /// The method, if it is one of ours.
    method: Option<String>,
    started: Instant,
    code: Code,
}

impl Outcome {
    fn new(metrics: &Metrics, span: Span, method: Option<String>) -> Self {
        metrics.in_flight.inc();
        let (metrics, started) = (metrics.clone(), Instant::now());
        Self { metrics, span, method, started, code: Code::Cancelled }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let (code, duration_ms) = (self.code, took.as_secs_f64() * 1000.0);
        self.metrics.in_flight.dec();
        self.metrics.answered(self.method.as_deref().unwrap_or(UNKNOWN), name(code), took);
        if self.method.is_some() {
            info!(parent: &self.span, ?code, duration_ms, "request answered");
        } else {
            // Health checks come every few seconds.
            debug!(parent: &self.span, ?code, duration_ms, "request answered");
        }
    }
}

/// A code as gRPC writes it.
#[must_use]
pub const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// What a request is called wherever it is written of; an extension of it.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Its id.
    pub request_id: String,
    /// Path of its method, or `unknown`: another path is the caller's text.
    pub method: String,
}

/// Makes ids that differ between starts of the program without any randomness.
#[derive(Debug)]
struct RequestIds {
    started_ms: u128,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self { started_ms: since.unwrap_or_default().as_millis(), next: AtomicU64::new(1) }
    }

    fn next(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:x}-{number}", self.started_ms);
        HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}
