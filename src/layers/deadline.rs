//! The time limit of a request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use tower::{Layer, Service};

use crate::grpc::status;

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Answers `DEADLINE_EXCEEDED` after the server's time limit or the caller's `grpc-timeout`, whichever is shorter.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    limit: Duration,
}

impl Deadline {
    /// A deadline with the server's time limit.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for Deadline {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithDeadline { inner, limit: self.limit }
    }
}

/// A service with a [`Deadline`].
#[derive(Debug, Clone)]
pub struct WithDeadline<S> {
    inner: S,
    limit: Duration,
}

impl<S, B, R> Service<Request<B>> for WithDeadline<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answer<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let asked = caller_limit(request.headers()).unwrap_or(Duration::MAX);
        // The clock must start here and not at the first poll: tonic's own, which answers CANCELLED, starts after this call.
        let answer = tokio::time::timeout(self.limit.min(asked), self.inner.call(request));
        Box::pin(async move {
            answer.await.unwrap_or_else(|_| Ok(status::deadline_exceeded().into_http()))
        })
    }
}

/// The `grpc-timeout` header: at most eight digits and a unit. One that cannot be read counts as none.
fn caller_limit(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = (digits.len() <= 8).then(|| digits.parse().ok())??;
    let unit = match unit {
        "H" => Duration::from_hours(1),
        "M" => Duration::from_mins(1),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    unit.checked_mul(number)
}
