//! One log line a request.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Request, Response};
use prost_reflect::DescriptorPool;
use tonic::Code;
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, debug, info, info_span};

const REQUEST_ID: &str = "x-request-id";
const REQUEST_ID_LENGTH: usize = 64;

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Gives every request an id and one log line: method, code, duration. Nothing a caller sends is in it but a well-formed
/// `x-request-id`.
#[derive(Debug, Clone)]
pub struct Trace {
    methods: Arc<BTreeSet<String>>,
    ids: Arc<RequestIds>,
}

impl Trace {
    /// The trace of one server. `contract` is an encoded `FileDescriptorSet` of its methods.
    #[must_use]
    pub fn new(contract: &[u8]) -> Self {
        // The contract is compiled in; were it unreadable, the methods would be logged as "unknown" and reflection would fail.
        let pool = DescriptorPool::decode(contract).unwrap_or_default();
        let methods = pool.services().flat_map(|service| {
            let path = |method: prost_reflect::MethodDescriptor| {
                format!("/{}/{}", method.parent_service().full_name(), method.name())
            };
            service.methods().map(path).collect::<Vec<_>>()
        });
        Self { methods: Arc::new(methods.collect()), ids: Arc::new(RequestIds::new()) }
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
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answer<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let id = request.headers().get(REQUEST_ID).filter(|id| is_request_id(id)).cloned();
        let id = id.unwrap_or_else(|| self.trace.ids.next());
        // A path is the caller's text until it turns out to be a method.
        let method = self.trace.methods.get(request.uri().path()).map_or("unknown", String::as_str);
        let span = info_span!("request", method, request_id = id.to_str().unwrap_or_default());
        let is_ours = method != "unknown";
        let mut outcome =
            Outcome { span: span.clone(), is_ours, started: Instant::now(), code: Code::Cancelled };
        let answer = self.inner.call(request);
        let traced = async move {
            let mut response = answer.await?;
            outcome.ends_as(code(response.headers()));
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(response)
        };
        Box::pin(traced.instrument(span))
    }
}

/// A response without a status in its head is a success: our unary methods fail before their message.
fn code(headers: &HeaderMap) -> Code {
    headers.get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

fn is_request_id(value: &HeaderValue) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=REQUEST_ID_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(is_allowed)
}

/// Writes the log line when it is dropped, so that a call its caller gave up has one too.
struct Outcome {
    span: Span,
    is_ours: bool,
    started: Instant,
    code: Code,
}

impl Outcome {
    const fn ends_as(&mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let duration_ms = self.started.elapsed().as_secs_f64() * 1000.0;
        let code = self.code;
        if self.is_ours {
            info!(parent: &self.span, ?code, duration_ms, "request answered");
        } else {
            // Health checks come every few seconds.
            debug!(parent: &self.span, ?code, duration_ms, "request answered");
        }
    }
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
