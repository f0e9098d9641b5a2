//! The admin port.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestServer, request};

/// Status line and body of a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: admin\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_server_tells_the_machines_that_keep_it_how_it_is() {
    let settings = [("admin.listen", "127.0.0.1:0"), ("server.lame_duck_ms", "300")];
    let server = TestServer::with(&settings).await;
    let admin = server.admin.unwrap();
    server.score(request(Vec::new())).await.unwrap();
    assert_eq!(get(admin, "/livez").await.0, "HTTP/1.1 200 OK");
    assert_eq!(get(admin, "/readyz").await.0, "HTTP/1.1 200 OK");
    assert_eq!(get(admin, "/elsewhere").await.0, "HTTP/1.1 404 Not Found");
    let metrics = get(admin, "/metrics").await.1;
    for told in [
        "heelorigin_requests_total{method=\"/heelorigin.v1.ScoringService/ScoreFindings\",code=\"OK\"} 1",
        "heelorigin_request_duration_seconds_count",
        "heelorigin_in_flight_requests 0",
        "heelorigin_engine_duration_seconds_count 1",
        "heelorigin_shed_requests_total 0",
        "heelorigin_open_connections ",
        "heelorigin_knowledge_info{version=\"2026",
        "# EOF",
    ] {
        assert!(metrics.contains(told), "{told}\n{metrics}");
    }
    let stopping = server.stop();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(get(admin, "/readyz").await.0, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(get(admin, "/livez").await.0, "HTTP/1.1 200 OK");
    stopping.ended().await;
}
