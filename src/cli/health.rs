//! `health`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use http::{Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Failure, START_FAILURE, USAGE, print};
use crate::config::Config;

const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Asks a plaintext server over gRPC or, without an address, the admin port of the configured one.
pub(super) fn run(config: &Config, address: Option<SocketAddr>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (asked, answer) = match (address, config.admin) {
        (None, Some(admin)) => (admin, runtime.block_on(in_time(ask_admin(admin)))),
        (None, None) if config.tls.is_some() => {
            return Err(Failure::new(
                USAGE,
                &"the server is encrypted and has no admin port to ask; set admin.listen",
            ));
        }
        (address, _) => {
            let address = address.unwrap_or(config.server.listen);
            (address, runtime.block_on(in_time(ask(address))))
        }
    };
    let status = answer.map_err(|reason| {
        Failure::new(START_FAILURE, &format!("no health from {asked}: {reason}"))
    })?;
    let exit = print(status.as_str_name())?;
    Ok(if status == ServingStatus::Serving { exit } else { START_FAILURE.into() })
}

async fn in_time(
    answer: impl Future<Output = Result<ServingStatus, String>>,
) -> Result<ServingStatus, String> {
    timeout(TIME_LIMIT, answer).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn ask(address: SocketAddr) -> Result<ServingStatus, String> {
    let endpoint =
        Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
    let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    let answer = answer.map_err(|status| status.message().to_owned())?;
    Ok(answer.get_ref().status())
}

async fn ask_admin(address: SocketAddr) -> Result<ServingStatus, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let connected = http1::handshake::<_, Body>(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|error| error.to_string())?;
    let asked = Request::get("/readyz").header("host", address.to_string()).body(Body::empty());
    let asked = asked.map_err(|error| error.to_string())?;
    let answer = async { sender.send_request(asked).await };
    let (answer, _) = tokio::join!(answer, connection);
    Ok(match answer.map_err(|error| error.to_string())?.status() {
        StatusCode::OK => ServingStatus::Serving,
        _ => ServingStatus::NotServing,
    })
}
