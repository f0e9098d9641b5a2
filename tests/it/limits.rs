//! What is too large or too slow gets an answer.

use heel_origin::grpc::pb::{ScoreFindingsRequest, ScoreFindingsResponse};
use tokio_stream::pending;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::support::{TestServer, request, yes_no};

/// Opens a call and never sends its message.
pub(crate) async fn call_without_message(
    server: &TestServer,
    timeout: Option<&'static str>,
) -> Status {
    let path = PathAndQuery::from_static("/heelorigin.v1.ScoringService/ScoreFindings");
    let codec = ProstCodec::<ScoreFindingsRequest, ScoreFindingsResponse>::default();
    let mut client = tonic::client::Grpc::new(server.channel().await);
    client.ready().await.unwrap();
    let mut call = Request::new(pending());
    if let Some(timeout) = timeout {
        call.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
    }
    client.client_streaming(call, path, codec).await.unwrap_err()
}

#[tokio::test]
async fn a_message_of_one_mebibyte_is_refused() {
    let server = TestServer::start().await;
    let findings = vec![yes_no(&"x".repeat(1 << 20), true)];
    let status = server.score(request(findings)).await.unwrap_err();
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
    server.score(request(Vec::new())).await.unwrap();
}

#[tokio::test]
async fn a_header_of_thirty_kibibytes_is_refused() {
    let server = TestServer::start().await;
    let mut call = Request::new(request(Vec::new()));
    call.metadata_mut().insert("x-large", "x".repeat(30 * 1024).parse().unwrap());
    server.scoring().await.score_findings(call).await.unwrap_err();
    server.score(request(Vec::new())).await.unwrap();
}

#[tokio::test]
async fn the_servers_time_limit_is_answered_as_deadline_exceeded() {
    let server = TestServer::with(&[("server.request_timeout_ms", "20")]).await;
    let status = call_without_message(&server, None).await;
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
}

#[tokio::test]
async fn a_compressed_request_is_refused_without_repeating_the_header() {
    let server = TestServer::start().await;
    let mut call = Request::new(request(Vec::new()));
    call.metadata_mut().insert("grpc-encoding", "canary".parse().unwrap());
    let status = server.scoring().await.score_findings(call).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(!status.message().contains("canary"), "{status:?}");
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = TestServer::start().await;
    let path = PathAndQuery::from_static("/heelorigin.v1.ScoringService/NoMethod");
    let codec = ProstCodec::<ScoreFindingsRequest, ScoreFindingsResponse>::default();
    let mut client = tonic::client::Grpc::new(server.channel().await);
    client.ready().await.unwrap();
    let status = client.unary(Request::new(request(Vec::new())), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}
