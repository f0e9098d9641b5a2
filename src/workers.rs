//! A bounded set of blocking workers for CPU work.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tracing::Span;

use crate::telemetry::Metrics;

/// Runs jobs away from the threads that serve connections, a few at a time and in the order of their arrival.
#[derive(Debug, Clone)]
pub struct Workers {
    /// One permit for each job that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each job that runs; fair.
    running: Arc<Semaphore>,
    metrics: Metrics,
}

/// Why a job was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// As many jobs as allowed are waiting already.
    #[error("too many jobs are waiting")]
    Overloaded,
    /// The job panicked.
    #[error("the job panicked")]
    Panicked,
}

impl Workers {
    /// `count` jobs run at a time and `queue` may wait.
    #[must_use]
    pub fn new(count: usize, queue: usize, metrics: Metrics) -> Self {
        Self {
            places: Arc::new(Semaphore::new(count + queue)),
            running: Arc::new(Semaphore::new(count)),
            metrics,
        }
    }

    /// Runs a job. A caller that goes away while its job waits gives up its place.
    ///
    /// # Errors
    /// [`WorkerError::Overloaded`] at once when all places are taken, [`WorkerError::Panicked`] when the job panics.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.metrics.shed.inc();
            WorkerError::Overloaded
        })?;
        self.run_in(place, job).await
    }

    /// The same, but waits for a place: for a caller who sends no more than it is answered.
    ///
    /// # Errors
    /// [`WorkerError::Panicked`] when the job panics.
    pub async fn run_when_free<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        self.run_in(place.map_err(|_| WorkerError::Overloaded)?, job).await
    }

    async fn run_in<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        // The semaphore is never closed, so this fails for no other reason than a missing worker.
        let permit =
            Arc::clone(&self.running).acquire_owned().await.map_err(|_| WorkerError::Overloaded)?;
        let (span, metrics) = (Span::current(), self.metrics.clone());
        // The job owns its permits: a caller that goes away does not free a worker that is still busy.
        let held = (place, permit);
        spawn_blocking(move || {
            let begun = Instant::now();
            let answer = span.in_scope(job);
            metrics.engine.observe(begun.elapsed().as_secs_f64());
            drop(held);
            answer
        })
        .await
        .map_err(|_| WorkerError::Panicked)
    }
}
