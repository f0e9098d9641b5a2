//! The admin port: for the machines that keep the service, not for callers. Plain HTTP, three paths, nothing of a patient.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::body::Body;

use crate::audit::Audit;
use crate::telemetry::Metrics;

/// Most connections at a time.
const CONNECTIONS: usize = 64;
/// Longest time for a connection: one request each.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How metrics are written, as Prometheus asks for it.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What makes a server ready.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Whether it wants requests: not any more once it ends.
    pub(crate) is_wanted: Arc<AtomicBool>,
    /// The log without which nothing is answered.
    pub(crate) audit: Option<Audit>,
}

impl Ready {
    fn is_ready(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed) && self.audit.as_ref().is_none_or(Audit::is_well)
    }
}

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, ready: Ready, metrics: Metrics) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (ready, metrics) = (ready.clone(), metrics.clone());
        tokio::spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let response = answer(request.uri().path(), &ready, &metrics);
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let mut protocol = http1::Builder::new();
            protocol.timer(TokioTimer::new()).keep_alive(false);
            let connection = protocol.serve_connection(TokioIo::new(stream), answer);
            // Who breaks off or takes too long gets no answer.
            timeout(TIME_LIMIT, connection).await.ok();
            drop(place);
        });
    }
}

fn answer(path: &str, ready: &Ready, metrics: &Metrics) -> Response<Body> {
    match path {
        "/livez" => plain(StatusCode::OK, "live\n"),
        "/readyz" if ready.is_ready() => plain(StatusCode::OK, "ready\n"),
        "/readyz" => plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        "/metrics" => metrics.text().map_or_else(
            |_| plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be written\n"),
            |text| typed(StatusCode::OK, OPENMETRICS, text),
        ),
        _ => plain(StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n"),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    typed(status, "text/plain; charset=utf-8", text.to_owned())
}

fn typed(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
