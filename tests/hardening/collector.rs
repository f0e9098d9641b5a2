//! A collector of traces that keeps everything it is sent, byte by byte.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use prost::bytes::Bytes;
use tokio::net::TcpListener;

/// Bytes before a message: whether it is compressed, and its length.
const FRAME: usize = 5;

/// What was sent so far.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Headers and bodies.
    pub(crate) bytes: Vec<u8>,
    /// Every span in words.
    pub(crate) words: String,
    pub(crate) spans: usize,
}

/// Runs with the runtime that it is started in.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Received>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::<Mutex<Received>>::default();
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let answer = service_fn(move |request| keep(Arc::clone(&kept), request));
                let protocol = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(protocol.serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { address, received }
    }

    /// Takes out what came.
    pub(crate) fn take(&self) -> Received {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

type Body = StreamBody<
    futures_util::stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, Infallible>, 2>>,
>;

async fn keep(
    kept: Arc<Mutex<Received>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    kept.lock().unwrap().add(&format!("{} {:?}", head.uri, head.headers), &body);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    // An empty message, then the status.
    let frames = [Frame::data(Bytes::from_static(&[0; FRAME])), Frame::trailers(trailers)];
    let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames.map(Ok))));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(response)
}

impl Received {
    fn add(&mut self, head: &str, body: &Bytes) {
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(body);
        let sent = ExportTraceServiceRequest::decode(&body[FRAME..]).unwrap();
        for resource in sent.resource_spans {
            writeln!(self.words, "{:?}", resource.resource).unwrap();
            for scope in resource.scope_spans {
                writeln!(self.words, "{:?}", scope.scope).unwrap();
                scope.spans.iter().for_each(|span| self.span(span));
            }
        }
    }

    /// Everything of a span but its ids and times, which are random.
    fn span(&mut self, span: &Span) {
        self.spans += 1;
        let Span { name, trace_state, attributes, status, .. } = span;
        writeln!(self.words, "{name} {trace_state} {attributes:?} {status:?}").unwrap();
        for event in &span.events {
            writeln!(self.words, "{} {:?}", event.name, event.attributes).unwrap();
        }
        for link in &span.links {
            writeln!(self.words, "{} {:?}", link.trace_state, link.attributes).unwrap();
        }
    }
}
