//! A shutdown ends, whatever its clients do.

use heel_origin::grpc::pb::StreamScoresRequest;
use heel_origin::server::Drain;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::support::{TestServer, request};

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_a_shutdown() {
    let server = TestServer::with(&[("server.shutdown_grace_ms", "3600000")]).await;
    let mut client = server.scoring().await;
    client.score_findings(request(Vec::new())).await.unwrap();
    assert_eq!(server.stop().ended().await, Drain::Complete);
    client.score_findings(request(Vec::new())).await.unwrap_err();
}

#[tokio::test]
async fn a_connection_that_never_speaks_does_not_hold_up_a_shutdown() {
    let server = TestServer::with(&[("server.shutdown_grace_ms", "3600000")]).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    // The server's settings frame: it has accepted the connection.
    let mut frame = [0; 9];
    silent.read_exact(&mut frame).await.unwrap();
    assert_eq!(server.stop().ended().await, Drain::Complete);
    // Its end of the connection ends as well.
    silent.read_to_end(&mut Vec::new()).await.ok();
}

#[tokio::test]
async fn an_open_stream_ends_after_what_was_read() {
    let server = TestServer::with(&[("server.shutdown_grace_ms", "3600000")]).await;
    let (requests, sent) = mpsc::channel(1);
    let mut client = server.scoring().await;
    let item = StreamScoresRequest { assessment: request(Vec::new()).assessment, options: None };
    requests.send(item).await.unwrap();
    let mut answers = client.stream_scores(ReceiverStream::new(sent)).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().position, 0);
    let stopping = server.stop();
    let status = answers.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains("another"), "{status:?}");
    assert_eq!(stopping.ended().await, Drain::Complete);
    drop(requests);
}

#[tokio::test]
async fn who_connects_during_the_last_moments_is_answered() {
    let server = TestServer::with(&[("server.lame_duck_ms", "200")]).await;
    let mut client = server.scoring().await;
    let stopping = server.stop();
    client.score_findings(request(Vec::new())).await.unwrap();
    assert_eq!(stopping.ended().await, Drain::Complete);
}
