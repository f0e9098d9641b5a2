//! Health of the server and of each service.

use heel_origin::{catalogue, grpc};

const SERVICE_NAMES: [&str; 2] = [grpc::SERVICE_NAME, catalogue::SERVICE_NAME];
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{TestServer, request};

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn the_server_and_each_service_serve() {
    let server = TestServer::start().await;
    let mut client = HealthClient::new(server.channel().await);
    assert_eq!(SERVICE_NAMES, ["heelorigin.v1.ScoringService", "heelorigin.v1.KnowledgeService"]);
    for service in [""].into_iter().chain(SERVICE_NAMES) {
        let answer = client.check(about(service)).await.unwrap();
        assert_eq!(answer.get_ref().status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn an_unknown_service_is_not_found() {
    let server = TestServer::start().await;
    let mut client = HealthClient::new(server.channel().await);
    let status = client.check(about("heelorigin.v1.NoService")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_shutdown_is_reported_before_requests_are_refused() {
    let server = TestServer::with(&[("server.lame_duck_ms", "3600000")]).await;
    let mut client = HealthClient::new(server.channel().await);
    let mut scoring = server.scoring().await;
    let mut watched = client.watch(about(SERVICE_NAMES[0])).await.unwrap().into_inner();
    let first = watched.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let _lame_duck = server.stop();
    let second = watched.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::NotServing);
    scoring.score_findings(request(Vec::new())).await.unwrap();
}
