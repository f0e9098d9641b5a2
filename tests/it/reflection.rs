//! The contract can be read from the server, in both versions of reflection.

use tokio_stream::once;
use tonic::Code;
use tonic_reflection::pb::{v1, v1alpha};

use crate::support::TestServer;

const EXPECTED: [&str; 3] =
    ["heelorigin.v1.ScoringService", "heelorigin.v1.KnowledgeService", "grpc.health.v1.Health"];

async fn ask(
    server: &TestServer,
    question: v1::server_reflection_request::MessageRequest,
) -> Result<v1::server_reflection_response::MessageResponse, tonic::Status> {
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(server.channel().await);
    let request =
        v1::ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut answers = client.server_reflection_info(once(request)).await?.into_inner();
    Ok(answers.message().await?.unwrap().message_response.unwrap())
}

#[tokio::test]
async fn version_one_lists_every_service() {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let server = TestServer::start().await;
    let answer = ask(&server, MessageRequest::ListServices(String::new())).await.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(EXPECTED.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
}

#[tokio::test]
async fn the_older_version_lists_every_service() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let server = TestServer::start().await;
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel().await);
    let question = Some(MessageRequest::ListServices(String::new()));
    let request =
        v1alpha::ServerReflectionRequest { host: String::new(), message_request: question };
    let mut answers = client.server_reflection_info(once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(EXPECTED.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
}

#[tokio::test]
async fn error_details_can_be_read_by_tools() {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let server = TestServer::start().await;
    for symbol in ["google.rpc.BadRequest", "google.rpc.ErrorInfo", "google.rpc.Status"] {
        let question = MessageRequest::FileContainingSymbol(symbol.into());
        let answer = ask(&server, question).await.unwrap();
        assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn reflection_can_be_switched_off() {
    use v1::server_reflection_request::MessageRequest;
    let server = TestServer::with(&[("reflection.enabled", "false")]).await;
    let answer = ask(&server, MessageRequest::ListServices(String::new())).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
}
