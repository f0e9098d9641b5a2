//! Every answered call stands in the audit log, and nothing of a patient does.

use std::fs;

use heel_origin::grpc::pb::{ListModelsRequest, StreamScoresRequest};
use serde_json::Value;
use tokio_stream::iter;
use tonic::{Code, Request};

use crate::identity::Files;
use crate::support::{TestServer, request, yes_no};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn settings(files: &Files, log: &str) -> String {
    let key = files.write("audit.key", KEY);
    format!("[audit]\nlog = \"{log}\"\nkey = \"{key}\"\nsync = true\n")
}

async fn server(files: &Files) -> TestServer {
    let log = files.path("audit.log").to_str().unwrap().to_owned();
    let file = files.write("heel-origin.toml", &settings(files, &log));
    TestServer::with_file(file.as_ref()).await
}

fn lines(files: &Files) -> Vec<Value> {
    let text = fs::read_to_string(files.path("audit.log")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_answered_call_has_a_line_without_clinical_values() {
    let files = Files::new();
    let server = server(&files).await;
    let findings = || request(vec![yes_no("slump_test", true)]);
    let mut client = server.scoring().await;
    let mut call = Request::new(findings());
    call.metadata_mut().insert("x-request-id", "req-1".parse().unwrap());
    client.score_findings(call).await.unwrap();
    client.score_findings(findings()).await.unwrap();
    client.score_findings(request(vec![yes_no("canary", true)])).await.unwrap_err();
    server.knowledge().await.list_models(ListModelsRequest {}).await.unwrap();
    let items = ["slump_test", "canary"].map(|id| StreamScoresRequest {
        assessment: request(vec![yes_no(id, true)]).assessment,
        options: None,
    });
    let mut stream = client.stream_scores(iter(items)).await.unwrap().into_inner();
    while stream.message().await.unwrap().is_some() {}
    let lines = lines(&files);
    let told =
        |key: &str| -> Vec<&str> { lines.iter().map(|line| line[key].as_str().unwrap()).collect() };
    let mut codes = told("code");
    // The items of a stream are recorded as they are scored.
    codes[4..].sort_unstable();
    assert_eq!(codes, ["OK", "OK", "INVALID_ARGUMENT", "OK", "INVALID_ARGUMENT", "OK"]);
    let score = "/heelorigin.v1.ScoringService/ScoreFindings";
    assert_eq!(told("method")[..3], [score; 3]);
    assert_eq!(told("request_id")[0], "req-1");
    assert_eq!(told("model_digest")[0].len(), 64);
    let codes = told("request");
    assert_eq!(codes[0], codes[1], "the same request has the same code");
    assert_ne!(codes[0], codes[2]);
    assert!(codes.iter().all(|code| code.len() == 64));
    let text = fs::read_to_string(files.path("audit.log")).unwrap();
    assert!(!text.contains("slump") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_answered() {
    let files = Files::new();
    // Every write to it fails as on a full disk.
    let file = files.write("heel-origin.toml", &settings(&files, "/dev/full"));
    let server = TestServer::with_file(file.as_ref()).await;
    let status = server.score(request(Vec::new())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let item = StreamScoresRequest { assessment: request(Vec::new()).assessment, options: None };
    let mut stream = server.scoring().await.stream_scores(iter([item])).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    let text = server.parts.metrics.text().unwrap();
    assert!(text.contains("heelorigin_audit_failures_total 1"), "{text}");
}

#[test]
fn a_key_that_is_short_or_missing_is_named() {
    let files = Files::new();
    let audit = |key: &str| {
        heel_origin::audit::Audit::open(&heel_origin::audit::AuditFiles {
            log: files.path("audit.log"),
            key: files.path(key),
            is_synced: false,
        })
    };
    files.write("short.key", "secret");
    let error = audit("short.key").unwrap_err().to_string();
    assert!(error.contains("short.key") && error.contains("32"), "{error}");
    assert!(audit("none.key").unwrap_err().to_string().contains("none.key"));
}
