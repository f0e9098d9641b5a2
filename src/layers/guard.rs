//! The layer that lets a request in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Span;

use crate::access::{Access, Credentials, Refusal, Role};
use crate::audit::Trail;
use crate::grpc::status;
use crate::telemetry::Metrics;
use crate::transport::{Answers, Peer};

/// Lets a request in whose caller may send it, and names the caller to the log and the audit log. Health is open to all.
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

    /// Whether a request may go on.
    fn admit<B>(&self, request: &Request<B>) -> Result<(), tonic::Status> {
        self.let_in(request)?;
        if request.extensions().get::<Answers>().is_some_and(Answers::are_untaken) {
            self.metrics.shed.inc();
            return Err(status::untaken());
        }
        Ok(())
    }

    /// Whether a caller may send it.
    fn let_in<B>(&self, request: &Request<B>) -> Result<(), tonic::Status> {
        // The library would repeat the header's text in its answer.
        if request.headers().get("grpc-encoding").is_some_and(|encoding| encoding != "identity") {
            return Err(status::compressed());
        }
        let Some(access) = &self.access else { return Ok(()) };
        let need = need(request.uri().path());
        if need == Need::Nothing {
            return Ok(());
        }
        let names = request.extensions().get::<Peer>().map_or(&[][..], |peer| &peer.names);
        let mut headers = request.headers().get_all(http::header::AUTHORIZATION).iter();
        let header = headers.next();
        // A header that is no text is no token, and of two nobody could say which one counts.
        let authorization = header.map(|header| match headers.next() {
            None => header.to_str().unwrap_or_default(),
            Some(_) => "",
        });
        let credentials = Credentials { names, authorization };
        let caller = access.authenticate(credentials, SystemTime::now()).map_err(|refusal| {
            let (_, reason) = Refusal::ALL[refusal as usize];
            self.refused(reason);
            status::unauthenticated()
        })?;
        Span::current().record("caller", &caller.name);
        if let Some(trail) = request.extensions().get::<Trail>() {
            trail.called_by(&caller.name);
        }
        match need {
            Need::Role(role) if !caller.may(role) => {
                self.refused("role");
                Err(status::permission_denied())
            }
            Need::Nothing | Need::Caller | Need::Role(_) => Ok(()),
        }
    }

    fn refused(&self, reason: &'static str) {
        self.metrics.refused(reason);
        tracing::info!(reason, "a caller was refused");
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.guard.admit(&request) {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(status) => Box::pin(async move { Ok(status.into_http()) }),
        }
    }
}
