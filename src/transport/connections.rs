//! From a listener to answered requests.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

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
use tower::{Service, ServiceExt as _};
use tracing::{debug, warn};

use super::{Peer, Tls};

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

/// Serves every connection of a listener until `stop`, then asks the open ones to close. What is returned waits for their end.
pub async fn serve<S, F>(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    service: S,
    stop: CancellationToken,
) -> TaskTracker
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = F>
        + Clone
        + Send
        + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = TaskTracker::new();
    let spread = AtomicU32::new(0);
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let (stream, peer, place) = accepted;
        let limits = Limits { age: spread_age(limits.age, &spread), ..limits };
        let (tls, service, stop) = (tls.clone(), service.clone(), stop.clone());
        open.spawn(async move {
            connection(stream, peer, tls, limits, service, stop).await;
            drop(place);
        });
    }
    open.close();
    open
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

async fn connection<S, F>(
    stream: TcpStream,
    peer: Peer,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    service: S,
    stop: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = F>
        + Clone
        + Send
        + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let Some(tls) = tls else { return http2(stream, peer, limits, service, stop).await };
    match timeout(limits.first_request, tls.accept(stream)).await {
        Ok(Ok((stream, names))) => http2(stream, peer.named(names), limits, service, stop).await,
        Ok(Err(error)) => debug!(%error, "a connection could not be encrypted"),
        Err(_) => debug!("a connection was not encrypted in time"),
    }
}

async fn http2<I, S, F>(stream: I, peer: Peer, limits: Limits, service: S, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = F>
        + Clone
        + Send
        + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&has_asked);
    let answer = service_fn(move |request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        service.clone().oneshot(request)
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
    if has_asked.load(Ordering::Relaxed) {
        serving.as_mut().graceful_shutdown();
        if timeout(limits.grace, serving).await.is_err() {
            warn!("a connection was still open after the grace time and is cut");
        }
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
