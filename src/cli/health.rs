//! `health`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Failure, START_FAILURE, print};

const TIME_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(address: SocketAddr) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let status = runtime.block_on(ask(address)).map_err(|reason| {
        Failure::new(START_FAILURE, &format!("no health from {address}: {reason}"))
    })?;
    let exit = print(status.as_str_name())?;
    Ok(if status == ServingStatus::Serving { exit } else { START_FAILURE.into() })
}

async fn ask(address: SocketAddr) -> Result<ServingStatus, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| error.to_string())?
        .connect_timeout(TIME_LIMIT)
        .timeout(TIME_LIMIT);
    let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    let answer = answer.map_err(|status| status.message().to_owned())?;
    Ok(answer.get_ref().status())
}
