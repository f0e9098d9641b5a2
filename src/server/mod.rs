//! The server: services, health, reflection and limits on one port, and a shutdown that ends.

mod signals;

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_reflection::server::Builder;
use tracing::{info, warn};

use crate::catalogue;
use crate::config::{self, Config};
use crate::grpc::{self, Deadline, Models, Workers};
use crate::telemetry::Trace;

pub use signals::Signals;

// Limits of HTTP/2. They bound what one connection can make the server hold.
const CONCURRENT_STREAMS: u32 = 128;
const FRAME_BYTES: u32 = 16 * 1024;
const HEADER_BYTES: u32 = 16 * 1024;
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a server stopped other than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The contract cannot be registered for reflection.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Serving failed.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Every connection ended by itself.
    Complete,
    /// The grace time passed; what was still open ends with the runtime.
    Cut,
}

/// Binds the configured address.
///
/// # Errors
/// When the address cannot be bound.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves on a bound listener until `shutdown` completes, then drains: first reports `NOT_SERVING`, after the lame-duck time
/// refuses connections, and after the grace time returns whatever is still open.
///
/// # Errors
/// [`RunError`] when the server cannot start or fails on its own.
pub async fn run(
    config: &Config,
    listener: TcpListener,
    models: Arc<Models>,
    shutdown: impl Future<Output = ()>,
) -> Result<Drain, RunError> {
    let (health, health_service) = health_reporter();
    report(&health, ServingStatus::Serving).await;
    let workers = Workers::new(worker_count(&config.server), config.server.queue);
    let catalogue = catalogue::service(Arc::clone(&models));
    let routes = grpc::routes(models, workers).add_service(catalogue).add_service(health_service);
    let routes = if config.is_reflection_enabled { with_reflection(routes)? } else { routes };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = pin!(
        http2(&config.server)
            .layer(Trace::new(grpc::FILE_DESCRIPTOR_SET))
            .layer(grpc::catch_panic())
            .layer(Deadline::new(config.server.request_timeout))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async {
                // A dropped sender means stop as well.
                stopped.await.ok();
            })
    );
    tokio::select! {
        result = &mut serving => return Ok(result.map(|()| Drain::Complete)?),
        () = shutdown => info!("shutting down"),
    }
    report(&health, ServingStatus::NotServing).await;
    tokio::select! {
        result = &mut serving => return Ok(result.map(|()| Drain::Complete)?),
        () = sleep(config.server.lame_duck) => drop(stop),
    }
    if let Ok(result) = timeout(config.server.shutdown_grace, serving).await {
        result?;
        info!("every connection has ended");
        return Ok(Drain::Complete);
    }
    warn!("connections were still open after the grace time and are cut");
    Ok(Drain::Cut)
}

/// Health of the server as a whole and of each service.
async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in ["", grpc::SERVICE_NAME, catalogue::SERVICE_NAME] {
        health.set_service_status(service, status).await;
    }
}

/// Both versions: older tools speak `v1alpha` only.
fn with_reflection(routes: Routes) -> Result<Routes, RunError> {
    let builder = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(grpc::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let newer = builder().build_v1()?;
    let older = builder().build_v1alpha()?;
    Ok(routes.add_service(newer).add_service(older))
}

fn http2(config: &config::Server) -> Server {
    Server::builder()
        .max_concurrent_streams(CONCURRENT_STREAMS)
        .max_frame_size(FRAME_BYTES)
        .http2_max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_connection_age(config.max_connection_age)
        .max_connection_age_grace(config.shutdown_grace)
}

fn worker_count(config: &config::Server) -> usize {
    match config.workers {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        count => count,
    }
}
