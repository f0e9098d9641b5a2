//! From a listener to answered requests.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;
use tracing::{debug, warn};

use super::{Peer, Tls};
use crate::telemetry::Metrics;

// Limits of HTTP/2. They bound what one connection can make the server hold.
const CONCURRENT_STREAMS: u32 = 128;
const FRAME_BYTES: u32 = 16 * 1024;
const HEADER_BYTES: u32 = 16 * 1024;
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Streams that a caller opened and reset at once before it is cut off (CVE-2023-44487).
const RESET_STREAMS: usize = 20;
/// Streams that the server had to reset for a caller's faults before it is cut off (CVE-2025-8671).
const FAULTY_STREAMS: usize = 128;
const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest time that a connection which never asked anything holds up the end.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait when a connection cannot be accepted, mostly for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections open at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Longest time from the start of a connection to its first request, encryption included.
    pub first_request: Duration,
    /// Age at which a connection is asked to close, spread by a tenth to either side so that clients do not come back together.
    pub age: Duration,
    /// Longest time for open requests to end after a connection was asked to close.
    pub grace: Duration,
}

/// What answers requests, whatever it is made of.
pub type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// How connections are made and held.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Encryption; `None` for plaintext.
    pub tls: Option<Arc<Tls>>,
    /// What a connection may take.
    pub limits: Limits,
    /// Where connections are counted.
    pub metrics: Metrics,
}

impl Endpoint {
    /// Serves every connection of a listener until `stop`, then asks the open ones to close. What is returned waits for their end.
    pub async fn serve(
        self,
        listener: TcpListener,
        app: App,
        stop: CancellationToken,
    ) -> TaskTracker {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let open = TaskTracker::new();
        let spread = AtomicU32::new(0);
        let begin = |(stream, peer, place)| {
            let mut own = self.clone();
            own.limits.age = spread_age(own.limits.age, &spread);
            let (app, stop) = (app.clone(), stop.clone());
            open.spawn(async move {
                own.metrics.connections.inc();
                own.connection(stream, peer, app, stop).await;
                own.metrics.connections.dec();
                drop(place);
            });
        };
        while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
            begin(accepted);
        }
        // Who was about to be accepted would be reset with the listener; so they are told in order that this server ends.
        while let Some(accepted) = accept(&listener, &places).now_or_never() {
            begin(accepted);
        }
        open.close();
        open.clone()
    }

    async fn connection(&self, stream: TcpStream, peer: Peer, app: App, stop: CancellationToken) {
        let Some(tls) = &self.tls else {
            return http2(stream, peer, self.limits, app, stop).await;
        };
        let is_late = async {
            tokio::select! {
                () = sleep(self.limits.first_request) => {}
                () = async { stop.cancelled().await; sleep(SILENCE).await } => {}
            }
        };
        let encrypted = tokio::select! {
            encrypted = tls.accept(stream) => encrypted,
            () = is_late => return debug!("a connection was not encrypted in time"),
        };
        match encrypted {
            Ok((stream, names)) => http2(stream, peer.named(names), self.limits, app, stop).await,
            Err(error) => {
                self.metrics.refused("handshake");
                debug!(%error, "a connection could not be encrypted");
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Without it small answers wait for the acknowledgement of the one before.
                stream.set_nodelay(true).ok();
                return (stream, Peer::new(address), place);
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

/// An age within a tenth of the configured one: multiples of the golden ratio spread evenly however many there are.
fn spread_age(age: Duration, count: &AtomicU32) -> Duration {
    let number = count.fetch_add(1, Ordering::Relaxed);
    let fraction = f64::from(number.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX);
    age.mul_f64(0.9 + 0.2 * fraction)
}

async fn http2<I>(stream: I, peer: Peer, limits: Limits, app: App, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&has_asked);
    // Streams that would go on look at this.
    let end = CancellationToken::new();
    let told = end.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(told.clone());
        app.clone().oneshot(request)
    });
    let mut serving = pin!(protocol().serve_connection(TokioIo::new(stream), answer));
    let silent = async {
        sleep(limits.first_request).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        ended = &mut serving => {
            if let Err(error) = ended {
                debug!(%error, "a connection broke");
            }
            return;
        }
        () = silent => return debug!("a connection asked nothing in time"),
        () = sleep(limits.age) => {}
        () = stop.cancelled() => {}
    }
    end.cancel();
    serving.as_mut().graceful_shutdown();
    let is_over = timeout(limits.grace.min(SILENCE), serving.as_mut()).await.is_ok();
    // Who asked nothing may never answer either.
    if is_over || !has_asked.load(Ordering::Relaxed) {
        return;
    }
    if timeout(limits.grace, serving).await.is_err() {
        warn!("a connection was still open after the grace time and is cut");
    }
}

fn protocol() -> http2::Builder<TokioExecutor> {
    let mut protocol = http2::Builder::new(TokioExecutor::new());
    protocol
        .timer(TokioTimer::new())
        .max_concurrent_streams(CONCURRENT_STREAMS)
        .max_frame_size(FRAME_BYTES)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(FAULTY_STREAMS)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    protocol
}
