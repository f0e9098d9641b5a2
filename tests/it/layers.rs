//! The layers and the workers by themselves, with services made for the purpose.

use std::convert::Infallible;
use std::future::pending;
use std::panic;
use std::sync::mpsc;
use std::time::Duration;

use heel_origin::grpc::FILE_DESCRIPTOR_SET;
use heel_origin::layers::{Deadline, catch_panic};
use heel_origin::telemetry;
use heel_origin::telemetry::{Metrics, Trace};
use heel_origin::workers::{WorkerError, Workers};
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{capture_logs, logs};

fn code<B>(response: &Response<B>) -> Code {
    Code::from_bytes(response.headers().get("grpc-status").unwrap().as_bytes())
}

fn call(headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::builder().uri("/heelorigin.v1.ScoringService/ScoreFindings");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_panic_is_answered_as_internal_and_logged_by_its_location_only() {
    capture_logs();
    let failing = service_fn(|_: Request<()>| async {
        let known: Option<Response<Body>> = Vec::new().pop();
        Ok::<_, Infallible>(known.expect("canary_0815"))
    });
    let layered =
        Trace::new(FILE_DESCRIPTOR_SET, Metrics::new()).layer(catch_panic().layer(failing));
    let before = panic::take_hook();
    panic::set_hook(Box::new(telemetry::log_panic));
    let response = layered.oneshot(call(&[("x-request-id", "panicking")])).await.unwrap();
    panic::set_hook(before);
    assert_eq!(code(&response), Code::Internal);
    assert_eq!(response.headers().get("grpc-message").unwrap(), "internal%20error");
    // The line comes with the end of the answer.
    drop(response);
    let logs = logs();
    assert!(!logs.contains("canary_0815"));
    let lines: Vec<&str> = logs.lines().filter(|line| line.contains("\"panicking\"")).collect();
    assert!(lines.iter().any(|line| line.contains("tests/it/layers.rs")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("Internal")), "{lines:?}");
}

#[tokio::test]
async fn a_path_that_is_no_method_is_not_logged() {
    capture_logs();
    let service = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let mut request = call(&[("x-request-id", "lost-path")]);
    *request.uri_mut() = "/heelorigin.v1.ScoringService/canary_1234".parse().unwrap();
    Trace::new(FILE_DESCRIPTOR_SET, Metrics::new()).layer(service).oneshot(request).await.unwrap();
    let logs = logs();
    assert!(logs.contains("lost-path") && !logs.contains("canary_1234"));
}

#[tokio::test(start_paused = true)]
async fn the_shorter_of_the_two_deadlines_counts() {
    for (asked, expected_ms) in [
        (None, 5_000),
        (Some("20m"), 20),
        (Some("9S"), 5_000),
        (Some("99999999H"), 5_000),
        (Some("three"), 5_000),
        (Some("é"), 5_000),
    ] {
        let stuck = service_fn(|_: Request<()>| pending::<Result<Response<Body>, Infallible>>());
        let service = Deadline::new(Duration::from_secs(5)).layer(stuck);
        let headers: Vec<_> = asked.map(|value| ("grpc-timeout", value)).into_iter().collect();
        let started = Instant::now();
        let response = service.oneshot(call(&headers)).await.unwrap();
        assert_eq!(code(&response), Code::DeadlineExceeded);
        // The clock is a paused one: this measures what was set, not how fast the machine is.
        assert_eq!(started.elapsed().as_millis(), expected_ms, "{asked:?}");
    }
}

/// A job that says when it runs and ends when it is told to.
fn held_job() -> (impl FnOnce() + Send + 'static, oneshot::Receiver<()>, mpsc::Sender<()>) {
    let (runs, running) = oneshot::channel();
    let (end, ends) = mpsc::channel::<()>();
    let job = move || {
        runs.send(()).unwrap();
        ends.recv().unwrap();
    };
    (job, running, end)
}

#[tokio::test]
async fn one_job_too_many_is_refused_at_once() {
    let workers = Workers::new(1, 0, Metrics::new());
    let (job, running, end) = held_job();
    let first = tokio::spawn({
        let workers = workers.clone();
        async move { workers.run(job).await }
    });
    running.await.unwrap();
    assert_eq!(workers.run(|| ()).await, Err(WorkerError::Overloaded));
    end.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_free_a_busy_worker() {
    let workers = Workers::new(1, 1, Metrics::new());
    let (job, running, end) = held_job();
    let first = tokio::spawn({
        let workers = workers.clone();
        async move { workers.run(job).await }
    });
    running.await.unwrap();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let waiting = workers.run(|| "done");
    let mut waiting = Box::pin(waiting);
    assert!(futures_poll_once(&mut waiting).await.is_none(), "the worker is still busy");
    assert_eq!(workers.run(|| "refused").await, Err(WorkerError::Overloaded));
    end.send(()).unwrap();
    assert_eq!(waiting.await, Ok("done"));
}

/// What a future says when it is asked once.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        use std::task::Poll;
        match std::pin::Pin::new(&mut *future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

#[tokio::test]
async fn a_job_that_panics_frees_its_worker() {
    let workers = Workers::new(1, 0, Metrics::new());
    let failing = || panic::resume_unwind(Box::new("no message from the hook"));
    assert_eq!(workers.run::<()>(failing).await, Err(WorkerError::Panicked));
    assert_eq!(workers.run(|| 7).await, Ok(7));
}
