//! Connections and answers that others need the room of.

use heel_origin::grpc::pb::ListFindingsRequest;
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use prost::bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use crate::support::{TestServer, request};

/// Asks for a great answer and takes no more of it than its head.
async fn ask(channel: &Channel) -> http::Response<Body> {
    let message = ListFindingsRequest { page_size: 1000, ..ListFindingsRequest::default() };
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = Bytes::from([&[0], &length[..], &message].concat());
    let call = http::Request::post("http://localhost/heelorigin.v1.KnowledgeService/ListFindings")
        .header("content-type", "application/grpc")
        .body(Body::new(Full::new(framed)));
    channel.clone().oneshot(call.unwrap()).await.unwrap()
}

#[tokio::test]
async fn who_takes_no_answers_gets_no_more_of_them() {
    let server = TestServer::start().await;
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    // A window smaller than an answer.
    let channel = endpoint.initial_stream_window_size(1024).connect().await.unwrap();
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(ask(&channel).await);
    }
    let refused = ask(&channel).await;
    let status = Status::from_header_map(refused.headers()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().contains("not taken"), "{status:?}");
    // Others do not feel it, and who takes what waits may ask again.
    server.score(request(Vec::new())).await.unwrap();
    for answer in held.drain(..) {
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(10_000 < bytes.len(), "an answer that takes more than one part: {}", bytes.len());
    }
    let again = ask(&channel).await;
    assert!(Status::from_header_map(again.headers()).is_none(), "{:?}", again.headers());
}

#[tokio::test]
async fn the_longest_silent_connection_gives_its_place_to_a_new_one() {
    let settings =
        [("server.max_connections", "2"), ("server.first_request_timeout_ms", "3600000")];
    let server = TestServer::with(&settings).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server's settings frame: the connection has its place.
        stream.read_exact(&mut [0; 9]).await.unwrap();
        silent.push(stream);
    }
    server.score(request(Vec::new())).await.unwrap();
    // It ends.
    silent[0].read_to_end(&mut Vec::new()).await.ok();
}

#[tokio::test]
async fn who_has_asked_keeps_its_place() {
    let settings =
        [("server.max_connections", "2"), ("server.first_request_timeout_ms", "3600000")];
    let server = TestServer::with(&settings).await;
    let mut asked = server.scoring().await;
    asked.score_findings(request(Vec::new())).await.unwrap();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    silent.read_exact(&mut [0; 9]).await.unwrap();
    server.score(request(Vec::new())).await.unwrap();
    silent.read_to_end(&mut Vec::new()).await.ok();
    asked.score_findings(request(Vec::new())).await.unwrap();
}
