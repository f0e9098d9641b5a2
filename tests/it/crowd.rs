//! Connections and answers that others need the room of.

use heel_origin::grpc::pb::{ListFindingsRequest, StreamScoresRequest};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use prost::bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::ServiceExt as _;

use crate::support::{TestServer, request};

/// Asks for a great answer and takes no more of it than its head.
async fn ask(channel: &Channel) -> http::Response<Body> {
    let message = ListFindingsRequest { page_size: 500, ..ListFindingsRequest::default() };
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let framed = Bytes::from([&[0], &length[..], &message].concat());
    let call = http::Request::post("http://localhost/heelorigin.v1.KnowledgeService/ListFindings")
        .header("content-type", "application/grpc")
        .body(Body::new(Full::new(framed)));
    channel.clone().oneshot(call.unwrap()).await.unwrap()
}

/// A connection with a window smaller than an answer.
async fn narrow(server: &TestServer) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    endpoint.initial_stream_window_size(1024).connect().await.unwrap()
}

#[tokio::test]
async fn who_takes_no_answers_gets_no_more_of_them() {
    let server = TestServer::start().await;
    let (mut held, mut channels) = (Vec::new(), vec![narrow(&server).await]);
    let status = loop {
        // As many as one connection may ask for at a time.
        if held.len() == 128 * channels.len() {
            channels.push(narrow(&server).await);
        }
        let answer = ask(&channels[channels.len() - 1]).await;
        match Status::from_header_map(answer.headers()) {
            Some(status) => break status,
            None => held.push(answer),
        }
    };
    assert!((100..500).contains(&held.len()), "{} answers wait", held.len());
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().contains("not taken"), "{status:?}");
    // Others do not feel it, neither one who calls nor one who takes little at a time.
    server.score(request(Vec::new())).await.unwrap();
    let other = narrow(&server).await;
    held.push(ask(&other).await);
    assert!(Status::from_header_map(held[held.len() - 1].headers()).is_none());
    // Who takes what waits may ask again.
    for answer in held.drain(..) {
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(50_000 < bytes.len(), "an answer that takes more than one part: {}", bytes.len());
    }
    let again = ask(&channels[0]).await;
    assert!(Status::from_header_map(again.headers()).is_none(), "{:?}", again.headers());
}

/// A server with places for two connections, and all the time to ask something.
async fn crowded_server() -> TestServer {
    let settings =
        [("server.max_connections", "2"), ("server.first_request_timeout_ms", "3600000")];
    TestServer::with(&settings).await
}

/// A connection that has its place: the server's settings frame came.
async fn silent(server: &TestServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.read_exact(&mut [0; 9]).await.unwrap();
    stream
}

#[tokio::test]
async fn a_silent_connection_gives_its_place_to_a_new_one() {
    let server = crowded_server().await;
    let held = [silent(&server).await, silent(&server).await];
    server.score(request(Vec::new())).await.unwrap();
    drop(held);
}

#[tokio::test]
async fn an_idle_connection_gives_its_place_to_a_new_one() {
    let server = crowded_server().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = server.scoring().await;
        client.score_findings(request(Vec::new())).await.unwrap();
        held.push(client);
    }
    server.score(request(Vec::new())).await.unwrap();
    // Who lost its place connects again, and takes that of another idle one.
    for client in &mut held {
        while client.score_findings(request(Vec::new())).await.is_err() {}
    }
}

#[tokio::test]
async fn who_is_being_answered_keeps_its_place() {
    let server = crowded_server().await;
    let (requests, sent) = mpsc::channel(1);
    let item = || StreamScoresRequest { assessment: request(Vec::new()).assessment, options: None };
    requests.send(item()).await.unwrap();
    let mut client = server.scoring().await;
    let mut answers = client.stream_scores(ReceiverStream::new(sent)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap();
    let _silent = silent(&server).await;
    for _ in 0..3 {
        server.score(request(Vec::new())).await.unwrap();
    }
    requests.send(item()).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().position, 1);
}
