//! The layer that writes the audit log.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::audit::{AnsweredBy, Audit, Coded, Trail};
use crate::grpc::{self, status};
use crate::telemetry::{Labels, Metrics};

const OURS: &str = "/heelorigin.v1.";

/// Writes a line for every call of ours before it is answered, and answers `UNAVAILABLE` where that fails.
///
/// Nobody unknown gets a line: whoever can reach the port could fill the disk. Such calls are logged and counted.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    /// Without a log nothing is written.
    audit: Option<Audit>,
    metrics: Metrics,
}

impl AuditTrail {
    /// A trail to a log.
    #[must_use]
    pub const fn new(audit: Option<Audit>, metrics: Metrics) -> Self {
        Self { audit, metrics }
    }
}

impl<S> Layer<S> for AuditTrail {
    type Service = Audited<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Audited { inner, trail: self.clone() }
    }
}

/// A service with an [`AuditTrail`].
#[derive(Debug, Clone)]
pub struct Audited<S> {
    inner: S,
    trail: AuditTrail,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Audited<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let is_ours = request.uri().path().starts_with(OURS);
        let Some(audit) = self.trail.audit.clone().filter(|_| is_ours) else {
            return Box::pin(self.inner.call(request));
        };
        let labels = request.extensions().get::<Labels>().cloned().unwrap_or_default();
        let trail = Trail::new(audit, labels.request_id, self.trail.metrics.clone());
        let code = trail.code();
        let mut request = request.map(|body| Body::new(Coded::new(body, code.clone())));
        request.extensions_mut().insert(trail.clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            let Some(outcome) = outcome(&labels.method, &response) else { return Ok(response) };
            let digest = response.extensions().get::<AnsweredBy>();
            let digest = digest.map_or("", |by| by.0.as_str());
            if trail.write(&labels.method, digest, outcome, code).await.is_ok() {
                return Ok(response);
            }
            Ok(status::unaudited().into_http())
        })
    }
}

/// The status to write; `None` where no line is due.
fn outcome(method: &str, response: &Response<Body>) -> Option<Code> {
    let told = response.headers().get("grpc-status");
    match told.map(|code| Code::from_bytes(code.as_bytes())) {
        Some(Code::Unauthenticated) => None,
        Some(code) => Some(code),
        // A stream that has begun writes a line for every item by itself.
        None if method == grpc::STREAM_SCORES => None,
        // Our unary methods fail before their message, so a head without a status is that of a success.
        None => Some(Code::Ok),
    }
}
