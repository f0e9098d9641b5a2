//! The layer that lets a request in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::access::{Access, Caller, Credentials, Refusal, Role};
use crate::grpc::status;
use crate::telemetry::Metrics;
use crate::transport::Peer;

/// Lets a request in whose caller may send it, and gives it the [`Caller`] as an extension. Health is open to all.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Without a table everybody may do everything.
    access: Option<Arc<Access>>,
    metrics: Metrics,
}

impl Guard {
    /// A guard by a table, or one that lets everybody in.
    #[must_use]
    pub const fn new(access: Option<Arc<Access>>, metrics: Metrics) -> Self {
        Self { access, metrics }
    }

    /// The caller of a request; `None` where nobody is asked for.
    fn admit<B>(&self, request: &Request<B>) -> Result<Option<Caller>, tonic::Status> {
        let Some(access) = &self.access else { return Ok(None) };
        let need = need(request.uri().path());
        if need == Need::Nothing {
            return Ok(None);
        }
        let names = request.extensions().get::<Peer>().map_or(&[][..], |peer| &peer.names);
        let header = request.headers().get(http::header::AUTHORIZATION);
        // A header that is no text is no token.
        let authorization = header.map(|header| header.to_str().unwrap_or_default());
        let credentials = Credentials { names, authorization };
        let caller = access.authenticate(credentials, SystemTime::now()).map_err(|refusal| {
            let (_, reason) = Refusal::ALL[refusal as usize];
            self.metrics.refused(reason);
            tracing::info!(reason, "a caller was refused");
            status::unauthenticated()
        })?;
        match need {
            Need::Role(role) if !caller.may(role) => {
                self.metrics.refused("role");
                Err(status::permission_denied())
            }
            Need::Nothing | Need::Caller | Need::Role(_) => Ok(Some(caller)),
        }
    }
}

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    Caller,
    Role(Role),
}

fn need(path: &str) -> Need {
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match service {
        "grpc.health.v1.Health" => Need::Nothing,
        "heelorigin.v1.ScoringService" => Need::Role(Role::Score),
        "heelorigin.v1.KnowledgeService" => Need::Role(Role::Knowledge),
        _ => Need::Caller,
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner, guard: self.clone() }
    }
}

/// A service behind a [`Guard`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    guard: Guard,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.guard.admit(&request) {
            Ok(caller) => {
                if let Some(caller) = caller {
                    request.extensions_mut().insert(caller);
                }
                Box::pin(self.inner.call(request))
            }
            Err(status) => Box::pin(async move { Ok(status.into_http()) }),
        }
    }
}
