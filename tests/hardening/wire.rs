//! Calls made of bytes: any path, any headers, any body.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use prost::bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::ServiceExt as _;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back of a call.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) details: Vec<u8>,
    /// All headers and trailers, a line each.
    pub(crate) headers: String,
    pub(crate) body: Bytes,
}

/// A message as gRPC frames it.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// A call of a body that is sent as it is; without an answer, the words of the failure.
pub(crate) async fn call(
    channel: &Channel,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Answer, String> {
    let mut request = Request::new(Body::new(Full::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().unwrap();
    let own = request.headers_mut();
    own.insert("content-type", HeaderValue::from_static("application/grpc"));
    own.insert("te", HeaderValue::from_static("trailers"));
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        // The second of a name stands beside the first, but these are there once.
        if ["content-type", "te", "user-agent"].contains(&name.as_str()) {
            own.insert(name, value);
        } else {
            own.append(name, value);
        }
    }
    let asked = async {
        let response = channel.clone().oneshot(request).await.map_err(|error| causes(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| causes(&error))?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok(answer(&head.headers, &trailers, body.to_bytes()))
    };
    timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

fn answer(headers: &HeaderMap, trailers: &HeaderMap, body: Bytes) -> Answer {
    let status = Status::from_header_map(trailers).or_else(|| Status::from_header_map(headers));
    let status = status.unwrap_or_else(|| Status::unknown("no status came"));
    let lines = headers.iter().chain(trailers);
    let lines = lines.map(|(name, value)| format!("{name}: {value:?}\n"));
    Answer {
        code: status.code(),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
        headers: lines.collect(),
        body,
    }
}

/// An error with what caused it.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(own) = cause {
        words.push(own.to_string());
        cause = own.source();
    }
    words.join(": ")
}

/// Sends bytes over a connection of their own and returns what comes back until it ends.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server may refuse before all is sent.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await.ok();
    answer
}
