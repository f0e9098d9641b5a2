//! The server: services, health, reflection, admin port and limits, and a shutdown that ends.

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_reflection::server::Builder;
use tower::ServiceBuilder;
use tracing::{info, warn};

use crate::catalogue;
use crate::config::{self, Config};
use crate::grpc;
use crate::layers::{AuditTrail, Deadline, Guard, catch_panic};
use crate::operations::Parts;
use crate::operations::admin::{self, Ready};
use crate::telemetry::Trace;
use crate::transport::{App, Endpoint, Limits};
use crate::workers::Workers;

/// Why a server cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The contract cannot be registered for reflection.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Every connection ended by itself.
    Complete,
    /// The grace time passed; what was still open ends with the runtime.
    Cut,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{key}: cannot listen on {address}: {error}")]
pub struct Unbound {
    key: &'static str,
    address: SocketAddr,
    error: std::io::Error,
}

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For callers.
    pub public: TcpListener,
    /// For the machines that keep it.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds the configured addresses.
    ///
    /// # Errors
    /// [`Unbound`] names the address and its key.
    pub async fn bind(config: &Config) -> Result<Self, Unbound> {
        let bind = async |key, address| {
            TcpListener::bind(address).await.map_err(|error| Unbound { key, address, error })
        };
        let public = bind("server.listen", config.server.listen).await?;
        let admin = match config.admin {
            Some(address) => Some(bind("admin.listen", address).await?),
            None => None,
        };
        Ok(Self { public, admin })
    }
}

/// Serves until `shutdown` completes, then drains: first reports `NOT_SERVING`, after the lame-duck time refuses connections, and after
/// the grace time returns whatever is still open.
///
/// # Errors
/// [`RunError`] when the server cannot be made.
pub async fn run(
    config: &Config,
    listeners: Listeners,
    parts: Parts,
    shutdown: impl Future<Output = ()>,
) -> Result<Drain, RunError> {
    let (health, health_service) = health_reporter();
    report(&health, ServingStatus::Serving).await;
    parts.show();
    let is_wanted = Arc::new(AtomicBool::new(true));
    let ready = Ready { is_wanted: Arc::clone(&is_wanted), audit: parts.audit.clone() };
    let routes = routes(config, &parts)?.add_service(health_service);
    let app = layered(routes, config.server.request_timeout, &parts);
    let Parts { tls, metrics, .. } = parts;
    let stop = CancellationToken::new();
    let endpoint = Endpoint { tls, limits: limits(&config.server), metrics: metrics.clone() };
    let serving = tokio::spawn(endpoint.serve(listeners.public, app, stop.clone()));
    let admin = listeners.admin.map(|own| tokio::spawn(admin::serve(own, ready, metrics)));
    shutdown.await;
    info!("shutting down");
    is_wanted.store(false, Ordering::Relaxed);
    report(&health, ServingStatus::NotServing).await;
    sleep(config.server.lame_duck).await;
    stop.cancel();
    let drained = async {
        if let Ok(open) = serving.await {
            open.wait().await;
        }
    };
    let is_complete = timeout(config.server.shutdown_grace, drained).await.is_ok();
    if let Some(admin) = admin {
        admin.abort();
    }
    if is_complete {
        info!("every connection has ended");
        return Ok(Drain::Complete);
    }
    warn!("connections were still open after the grace time and are cut");
    Ok(Drain::Cut)
}

/// The services but health, which the shutdown changes.
fn routes(config: &Config, parts: &Parts) -> Result<Routes, RunError> {
    let (live, metrics) = (&parts.live, parts.metrics.clone());
    let workers = Workers::new(worker_count(&config.server), config.server.queue, metrics);
    let catalogue = catalogue::service(Arc::clone(live));
    let routes = grpc::routes(Arc::clone(live), workers).add_service(catalogue);
    if config.is_reflection_enabled { with_reflection(routes) } else { Ok(routes) }
}

/// The services with what lies around them.
fn layered(routes: Routes, request_timeout: Duration, parts: &Parts) -> App {
    let Parts { access, audit, metrics, .. } = parts.clone();
    let service = ServiceBuilder::new()
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(Trace::new(grpc::FILE_DESCRIPTOR_SET, metrics.clone()))
        .layer(AuditTrail::new(audit, metrics.clone()))
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(catch_panic())
        .layer(Deadline::new(request_timeout))
        .layer(Guard::new(access, metrics))
        .service(routes.prepare());
    App::new(service)
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

const fn limits(config: &config::Server) -> Limits {
    Limits {
        connections: config.max_connections,
        first_request: config.first_request,
        age: config.max_connection_age,
        grace: config.shutdown_grace,
    }
}

fn worker_count(config: &config::Server) -> usize {
    match config.workers {
        0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        count => count,
    }
}
