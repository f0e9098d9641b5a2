//! Every answered call stands in the audit log, and nothing of a patient does.

use std::fs;

use heel_origin::audit::{Audit, AuditFiles};
use heel_origin::grpc::pb::{ListModelsRequest, StreamScoresRequest};
use serde_json::Value;
use tokio_stream::iter;
use tonic::{Code, Request};

use crate::admin::get;
use crate::identity::{AUDIENCE, Files, ISSUER, Signer, claims, key_set};
use crate::limits::call_without_message;
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
    let settings = settings(&files, "/dev/full") + "[admin]\nlisten = \"127.0.0.1:0\"\n";
    let file = files.write("heel-origin.toml", &settings);
    let server = TestServer::with_file(file.as_ref()).await;
    let admin = server.admin.unwrap();
    assert_eq!(get(admin, "/readyz").await.0, "HTTP/1.1 200 OK");
    let status = server.score(request(Vec::new())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let item = StreamScoresRequest { assessment: request(Vec::new()).assessment, options: None };
    let mut stream = server.scoring().await.stream_scores(iter([item])).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(get(admin, "/readyz").await.0, "HTTP/1.1 503 Service Unavailable");
    let text = server.parts.metrics.text().unwrap();
    assert!(text.contains("heelorigin_audit_failures_total 2"), "{text}");
}

#[tokio::test]
async fn a_log_that_was_moved_away_is_begun_anew() {
    let files = Files::new();
    let server = server(&files).await;
    server.score(request(Vec::new())).await.unwrap();
    fs::rename(files.path("audit.log"), files.path("audit.log.1")).unwrap();
    server.score(request(Vec::new())).await.unwrap();
    server.score(request(Vec::new())).await.unwrap();
    assert_eq!(lines(&files).len(), 2);
    assert_eq!(fs::read_to_string(files.path("audit.log.1")).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_line_half_written_by_a_power_cut_stands_alone() {
    let files = Files::new();
    files.write("audit.log", "{\"time_ms\":17");
    let server = server(&files).await;
    server.score(request(Vec::new())).await.unwrap();
    let text = fs::read_to_string(files.path("audit.log")).unwrap();
    let (torn, whole) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"time_ms\":17");
    assert_eq!(serde_json::from_str::<Value>(whole).unwrap()["code"], "OK");
}

#[test]
fn a_log_has_one_writer() {
    let files = Files::new();
    let own = AuditFiles {
        log: files.path("audit.log"),
        key: files.write("audit.key", KEY).into(),
        is_synced: false,
    };
    let _first = Audit::open(&own).unwrap();
    let error = Audit::open(&own).unwrap_err().to_string();
    assert!(error.contains("audit.log") && error.contains("another process"), "{error}");
}

#[tokio::test]
async fn a_caller_who_may_not_call_is_recorded_and_a_stranger_is_not() {
    let files = Files::new();
    let signer = Signer::new("one");
    let (log, keys) = (files.path("audit.log"), files.write("keys.json", &key_set(&[&signer])));
    let access = format!(
        r#"
        [access.tokens]
        keys = "{keys}"
        issuer = "{ISSUER}"
        audience = "{AUDIENCE}"

        [[access.callers]]
        name = "clinic"
        roles = ["score"]
        subjects = ["clinic"]
        "#
    );
    let settings = settings(&files, log.to_str().unwrap());
    let file = files.write("heel-origin.toml", &(settings + &access));
    let server = TestServer::with_file(file.as_ref()).await;
    let token = format!("Bearer {}", signer.sign(&claims("clinic")));
    let mut asked = Request::new(ListModelsRequest {});
    asked.metadata_mut().insert("authorization", token.parse().unwrap());
    let refused = server.knowledge().await.list_models(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let stranger = server.score(request(Vec::new())).await.unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated);
    let told: Vec<_> =
        lines(&files).iter().map(|line| (line["caller"].clone(), line["code"].clone())).collect();
    assert_eq!(told, [("clinic".into(), "PERMISSION_DENIED".into())]);
}

#[tokio::test]
async fn a_call_that_took_too_long_is_recorded() {
    let files = Files::new();
    let log = files.path("audit.log").to_str().unwrap().to_owned();
    let settings = settings(&files, &log) + "[server]\nrequest_timeout_ms = 100\n";
    let file = files.write("heel-origin.toml", &settings);
    let server = TestServer::with_file(file.as_ref()).await;
    let status = call_without_message(&server, None).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(lines(&files)[0]["code"], "DEADLINE_EXCEEDED");
}

#[test]
fn a_key_that_is_short_or_missing_is_named() {
    let files = Files::new();
    let audit = |key: &str| {
        Audit::open(&AuditFiles {
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
