//! From a listener to answered requests.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;
use tracing::{debug, warn};

use super::answers::Offered;
use super::{Answers, Peer, Tls};
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

/// Longest time that a connection which never asked anything holds up the end, and that one which asks nothing keeps its place when
/// others wait for one.
const SILENCE: Duration = Duration::from_secs(1);
/// How long to wait when a connection cannot be accepted, mostly for want of file descriptors, and for one to end that lost its place.
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
        let places = Places {
            free: Arc::new(Semaphore::new(self.limits.connections)),
            crowded: Arc::default(),
        };
        let open = TaskTracker::new();
        let spread = AtomicU32::new(0);
        let waiting = Arc::default();
        let begin = |(stream, peer, place)| {
            let mut limits = self.limits;
            limits.age = spread_age(limits.age, &spread);
            let (begun, crowded) = (Instant::now(), Arc::clone(&places.crowded));
            let (answers, app, stop) = (Answers::none(&waiting), app.clone(), stop.clone());
            let connection = Connection { peer, limits, begun, crowded, answers, app, stop };
            let own = self.clone();
            open.spawn(async move {
                own.metrics.connections.inc();
                own.connection(stream, connection).await;
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

    async fn connection(&self, stream: TcpStream, mut connection: Connection) {
        let Some(tls) = &self.tls else { return connection.http2(stream).await };
        let encrypted = tokio::select! {
            encrypted = tls.accept(stream) => encrypted,
            () = connection.patience() => return debug!("a connection was not encrypted in time"),
        };
        match encrypted {
            Ok((stream, names)) => {
                connection.peer = connection.peer.named(names);
                connection.http2(stream).await;
            }
            Err(error) => {
                self.metrics.refused("handshake");
                debug!(%error, "a connection could not be encrypted");
            }
        }
    }
}

/// Places for connections.
struct Places {
    free: Arc<Semaphore>,
    /// Told to one idle connection when all places are taken.
    crowded: Arc<Notify>,
}

impl Places {
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        self.crowded.notify_one();
        // The semaphore is never closed.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Places,
) -> (TcpStream, Peer, Option<OwnedSemaphorePermit>) {
    let place = places.take().await;
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

/// A connection and what it is part of.
struct Connection {
    peer: Peer,
    limits: Limits,
    begun: Instant,
    crowded: Arc<Notify>,
    answers: Answers,
    app: App,
    stop: CancellationToken,
}

impl Connection {
    async fn http2<I>(&self, stream: I)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let has_asked = Arc::new(AtomicBool::new(false));
        // Streams that would go on look at this.
        let end = CancellationToken::new();
        let answer = self.answering(Arc::clone(&has_asked), end.clone());
        let answer = service_fn(answer);
        let mut serving = pin!(protocol().serve_connection(TokioIo::new(stream), answer));
        let mut grace = self.limits.grace;
        tokio::select! {
            ended = &mut serving => {
                if let Err(error) = ended {
                    debug!(%error, "a connection broke");
                }
                return;
            }
            () = self.silence(&has_asked) => return debug!("a connection asked nothing in time"),
            () = self.crowded_out() => {
                if !has_asked.load(Ordering::Relaxed) {
                    return debug!("a connection that asked nothing lost its place");
                }
                grace = grace.min(BREATH);
            }
            () = sleep(self.limits.age) => {}
            () = self.stop.cancelled() => {}
        }
        end.cancel();
        serving.as_mut().graceful_shutdown();
        let is_over = timeout(grace.min(SILENCE), serving.as_mut()).await.is_ok();
        // Who waits for nothing may never end by itself.
        if is_over || Duration::ZERO < self.answers.idle() {
            return;
        }
        if timeout(grace, serving).await.is_err() {
            warn!("a connection was still open after the grace time and is cut");
        }
    }

    /// Answers the requests of this connection.
    fn answering(
        &self,
        has_asked: Arc<AtomicBool>,
        end: CancellationToken,
    ) -> impl Fn(
        Request<Incoming>,
    ) -> BoxFuture<'static, Result<Response<Offered<Body>>, Infallible>>
    + use<> {
        let (app, peer, answers) = (self.app.clone(), self.peer.clone(), self.answers.clone());
        move |request| {
            has_asked.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            request.extensions_mut().insert(end.clone());
            request.extensions_mut().insert(answers.clone());
            let (answer, open) = (app.clone().oneshot(request), answers.open());
            async move { Ok(answer.await?.map(|body| open.offered(body))) }.boxed()
        }
    }

    /// Waits until the first request is overdue.
    async fn silence(&self, has_asked: &AtomicBool) {
        sleep_until(self.begun + self.limits.first_request).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until this connection is idle while all places are taken.
    async fn crowded_out(&self) {
        loop {
            sleep(SILENCE).await;
            self.crowded.notified().await;
            if SILENCE <= self.answers.idle() {
                return;
            }
            // Another one may be.
            self.crowded.notify_one();
        }
    }

    /// Waits until encryption took too long: the configured time, or a shorter one when all places are taken or the server ends.
    async fn patience(&self) {
        let ending = async {
            self.stop.cancelled().await;
            sleep(SILENCE).await;
        };
        tokio::select! {
            () = sleep_until(self.begun + self.limits.first_request) => {}
            () = self.crowded_out() => {}
            () = ending => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    /// With Nagle's algorithm a small answer waits until the client acknowledges the one before, which clients put off by 40 ms.
    #[tokio::test]
    async fn an_accepted_connection_sends_small_answers_at_once() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let places = Places { free: Arc::new(Semaphore::new(1)), crowded: Arc::default() };
        let (stream, ..) = accept(&listener, &places).await;
        assert!(stream.nodelay().unwrap());
    }
}
