//! The layer that writes the audit log.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::access::Caller;
use crate::audit::{AnsweredBy, Audit, Trail};
use crate::grpc::{self, status};
use crate::telemetry::{Metrics, RequestId};

/// Bytes before a message of gRPC: whether it is compressed, and its length.
const FRAME: usize = 5;
const OURS: &str = "/heelorigin.v1.";

/// Writes a line for every call of ours before it is answered, and answers `UNAVAILABLE` where that fails.
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
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answer {
        let Some(audit) = self.trail.audit.clone() else {
            return Box::pin(self.inner.call(request));
        };
        let path = request.uri().path().to_owned();
        if !path.starts_with(OURS) {
            return Box::pin(self.inner.call(request));
        }
        let trail = Trail::new(audit, caller(&request), id(&request));
        // It writes a line for every item by itself.
        if path == grpc::STREAM_SCORES {
            request.extensions_mut().insert(trail);
            return Box::pin(self.inner.call(request));
        }
        // The clone that was ready answers; the other takes its place.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        let metrics = self.trail.metrics.clone();
        Box::pin(async move {
            let response = answer(inner, request, &trail, &path).await;
            Ok(response.unwrap_or_else(|status| {
                if status.code() == Code::Unavailable {
                    metrics.audit_failures.inc();
                }
                status.into_http()
            }))
        })
    }
}

async fn answer<S>(
    mut inner: S,
    request: Request<Body>,
    trail: &Trail,
    path: &str,
) -> Result<Response<Body>, tonic::Status>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let (head, body) = request.into_parts();
    let body = Limited::new(body, grpc::REQUEST_LIMIT + FRAME).collect().await;
    let bytes: Bytes = body.map_err(|_| status::too_long())?.to_bytes();
    let request = Request::from_parts(head, Body::new(Full::new(bytes.clone())));
    let Ok(response) = inner.call(request).await;
    // Our unary methods fail before their message, so a head without a status is that of a success.
    let code = response.headers().get("grpc-status");
    let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
    let digest = response.extensions().get::<AnsweredBy>().map_or("", |by| by.0.as_str());
    let message = bytes.get(FRAME..).unwrap_or_default();
    trail.write(path, digest, code, message).await.map_err(|_| status::unaudited())?;
    Ok(response)
}

fn caller(request: &Request<Body>) -> String {
    request.extensions().get::<Caller>().map(|caller| caller.name.clone()).unwrap_or_default()
}

fn id(request: &Request<Body>) -> String {
    let id = request.extensions().get::<RequestId>();
    id.and_then(|id| id.0.to_str().ok()).unwrap_or_default().to_owned()
}
