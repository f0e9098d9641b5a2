//! A shutdown ends, whatever its clients do.

use heel_origin::server::Drain;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

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
