//! Encrypted connections, and who is let in over them.

use heel_origin::grpc::pb::ListModelsRequest;
use heel_origin::grpc::pb::knowledge_service_client::KnowledgeServiceClient;
use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use heel_origin::server::Drain;
use heel_origin::transport::{Tls, TlsFiles};
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::identity::{AUDIENCE, Authority, Files, ISSUER, Signer, claims, key_set};
use crate::support::{TestServer, request};

/// A hospital's files and what its configuration says of them.
struct Hospital {
    files: Files,
    authority: Authority,
    signer: Signer,
}

impl Hospital {
    fn new() -> Self {
        let (files, authority, signer) = (Files::new(), Authority::new(), Signer::new("one"));
        let (certificate, key) = authority.signs("localhost");
        files.write("server.pem", &certificate);
        files.write("server.key", &key);
        files.write("authority.pem", &authority.pem());
        files.write("keys.json", &key_set(&[&signer]));
        Self { files, authority, signer }
    }

    fn path(&self, name: &str) -> String {
        self.files.path(name).to_str().unwrap().to_owned()
    }

    /// Configuration in which a clinic may score and a reader may read, by certificate or token.
    fn configuration(&self, certificates: &str) -> String {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        let (authorities, keys) = (self.path("authority.pem"), self.path("keys.json"));
        format!(
            r#"
            [tls]
            certificate = "{certificate}"
            private_key = "{key}"
            client_authorities = "{authorities}"
            client_certificates = "{certificates}"

            [access.tokens]
            keys = "{keys}"
            issuer = "{ISSUER}"
            audience = "{AUDIENCE}"

            [[access.callers]]
            name = "clinic"
            roles = ["score"]
            certificates = ["dns:clinic.example"]
            subjects = ["clinic"]

            [[access.callers]]
            name = "reader"
            roles = ["knowledge"]
            certificates = ["uri:spiffe://hospital/reader"]
            "#
        )
    }

    async fn server(&self, certificates: &str) -> TestServer {
        let file = self.files.write("heel-origin.toml", &self.configuration(certificates));
        TestServer::with_file(file.as_ref()).await
    }

    fn client(&self) -> ClientTlsConfig {
        let authority = Certificate::from_pem(self.authority.pem());
        ClientTlsConfig::new().ca_certificate(authority).domain_name("localhost")
    }

    fn client_named(&self, name: &str) -> ClientTlsConfig {
        let (certificate, key) = self.authority.signs(name);
        self.client().identity(Identity::from_pem(certificate, key))
    }
}

async fn connect(
    server: &TestServer,
    tls: ClientTlsConfig,
) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("https://{}", server.address)).unwrap();
    endpoint.tls_config(tls).unwrap().connect().await
}

async fn score(channel: Channel, token: Option<&str>) -> Code {
    let mut call = Request::new(request(Vec::new()));
    if let Some(token) = token {
        call.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match ScoringServiceClient::new(channel).score_findings(call).await {
        Ok(_) => Code::Ok,
        Err(status) => {
            assert!(!status.message().contains("sign"), "nothing tells which part was wrong");
            status.code()
        }
    }
}

#[tokio::test]
async fn a_caller_is_known_by_certificate_or_token() {
    let hospital = Hospital::new();
    let server = hospital.server("allowed").await;
    let clinic = connect(&server, hospital.client_named("clinic.example")).await.unwrap();
    assert_eq!(score(clinic.clone(), None).await, Code::Ok);
    let read = KnowledgeServiceClient::new(clinic).list_models(ListModelsRequest {}).await;
    assert_eq!(read.unwrap_err().code(), Code::PermissionDenied);
    let reader = connect(&server, hospital.client_named("spiffe://hospital/reader")).await.unwrap();
    assert_eq!(score(reader.clone(), None).await, Code::PermissionDenied);
    KnowledgeServiceClient::new(reader).list_models(ListModelsRequest {}).await.unwrap();
    let nobody = connect(&server, hospital.client()).await.unwrap();
    assert_eq!(score(nobody.clone(), None).await, Code::Unauthenticated);
    let token = hospital.signer.sign(&claims("clinic"));
    assert_eq!(score(nobody.clone(), Some(&token)).await, Code::Ok);
    assert_eq!(score(nobody.clone(), Some("nonsense")).await, Code::Unauthenticated);
    let mut twice = Request::new(request(Vec::new()));
    for token in [&token, "nonsense"] {
        twice.metadata_mut().append("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let status = ScoringServiceClient::new(nobody.clone()).score_findings(twice).await;
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);
    let health = HealthClient::new(nobody).check(HealthCheckRequest::default()).await;
    health.expect("health is open to all");
    let text = server.parts.metrics.text().unwrap();
    for reason in ["nothing", "malformed", "role"] {
        assert!(text.contains(&format!("auth_failures_total{{reason=\"{reason}\"}}")), "{text}");
    }
}

#[tokio::test]
async fn without_a_required_certificate_there_is_no_connection() {
    let hospital = Hospital::new();
    let server = hospital.server("required").await;
    let stranger = Authority::new();
    let (certificate, key) = stranger.signs("clinic.example");
    let wrong = hospital.client().identity(Identity::from_pem(certificate, key));
    for tls in [hospital.client(), wrong] {
        // With TLS 1.3 the client learns of it with its first request.
        let channel = connect(&server, tls).await;
        let code = match channel {
            Ok(channel) => score(channel, Some(&hospital.signer.sign(&claims("clinic")))).await,
            Err(_) => Code::Unavailable,
        };
        assert!(matches!(code, Code::Unavailable | Code::Unknown), "{code:?}");
    }
    let text = server.parts.metrics.text().unwrap();
    assert!(text.contains("auth_failures_total{reason=\"handshake\"} 2"), "{text}");
    let ends = text
        .lines()
        .find_map(|line| line.strip_prefix("heelorigin_certificate_not_after_seconds "));
    assert!(0 < ends.unwrap().parse::<i64>().unwrap(), "{text}");
    let plain = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    if let Ok(channel) = plain.connect().await {
        assert_ne!(score(channel, None).await, Code::Ok);
    }
}

#[tokio::test]
async fn certificates_are_renewed_and_never_by_a_broken_pair() {
    let hospital = Hospital::new();
    let server = hospital.server("allowed").await;
    let tls = server.parts.tls.as_ref().unwrap();
    let works = async || {
        let channel = connect(&server, hospital.client_named("clinic.example")).await;
        match channel {
            Ok(channel) => score(channel, None).await == Code::Ok,
            Err(_) => false,
        }
    };
    assert!(works().await && !tls.reload().unwrap());
    let (certificate, key) = hospital.authority.signs("localhost");
    for (name, text) in [
        ("server.key", key.as_str()),
        ("server.pem", ""),
        ("server.pem", "-----BEGIN CERTIFICATE-----\nMIIB"),
        ("server.pem", &certificate[..certificate.len() / 2]),
    ] {
        hospital.files.write(name, text);
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert!(works().await, "the old pair goes on");
    }
    hospital.files.write("server.pem", &certificate);
    assert!(tls.reload().unwrap());
    assert!(works().await);
    // Another authority: clients of the old one no longer trust the server.
    let other = Authority::new();
    let (certificate, key) = other.signs("localhost");
    hospital.files.write("server.pem", &certificate);
    hospital.files.write("server.key", &key);
    assert!(tls.reload().unwrap());
    assert!(!works().await);
}

#[test]
fn a_file_that_gives_no_encryption_is_named() {
    let (files, authority) = (Files::new(), Authority::new());
    let (certificate, key) = authority.signs("localhost");
    let (_, other_key) = authority.signs("localhost");
    let load = |certificate: &str, key: &str| {
        let files = TlsFiles {
            certificate: files.write("a.pem", certificate).into(),
            private_key: files.write("a.key", key).into(),
            clients: None,
        };
        Tls::load(files).map(drop).map_err(|error| error.to_string())
    };
    load(&certificate, &key).unwrap();
    for (certificate, key, told) in [
        ("", key.as_str(), "a.pem: no certificate in PEM is in this file"),
        (certificate.as_str(), "", "a.key: no private key in PEM is in this file"),
        (&key, &key, "a.pem: no certificate"),
        (&certificate, &certificate, "a.key: no private key"),
        (&certificate, &other_key, "a.key: "),
    ] {
        let error = load(certificate, key).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    let missing = TlsFiles {
        certificate: files.path("none.pem"),
        private_key: files.path("a.key"),
        clients: None,
    };
    assert!(Tls::load(missing).unwrap_err().to_string().contains("none.pem"));
}

#[tokio::test]
async fn a_handshake_that_never_ends_does_not_hold_up_a_shutdown() {
    let hospital = Hospital::new();
    let times = "server.first_request_timeout_ms = 3600000\nserver.shutdown_grace_ms = 3600000\n";
    let text = times.to_owned() + &hospital.configuration("required");
    let file = hospital.files.write("heel-origin.toml", &text);
    let server = TestServer::with_file(file.as_ref()).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.stop().ended().await, Drain::Complete);
}
