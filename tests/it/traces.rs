//! Traces reach a collector as part of the caller's trace, and hold nothing that a caller sent.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::cli::Served;
use crate::support::{request, yes_no};

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let (sender, received) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = TraceServiceServer::new(Collector(sender));
    let serving = Server::builder().add_service(service);
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
    (address, received)
}

fn spans(sent: &ExportTraceServiceRequest) -> Vec<&Span> {
    let scopes = sent.resource_spans.iter().flat_map(|own| &own.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_part_of_its_callers_trace() {
    let (address, mut received) = collector().await;
    let endpoint = format!("http://{address}");
    let with = move |command: &mut Command| {
        command.env("HEELORIGIN__TRACES__ENDPOINT", &endpoint);
    };
    let served = Served::with(&["--listen", "127.0.0.1:0"], with);
    let channel = Endpoint::from_shared(format!("http://{}", served.address())).unwrap();
    let mut client = ScoringServiceClient::new(channel.connect().await.unwrap());
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let mut call = Request::new(request(vec![yes_no("slump_test", true)]));
    let context = format!("00-{trace}-{parent}-01");
    call.metadata_mut().insert("traceparent", context.parse().unwrap());
    call.metadata_mut().insert("x-request-id", "req-7".parse().unwrap());
    client.score_findings(call).await.unwrap();
    served.signal("-TERM");
    let sent = timeout(Duration::from_mins(1), received.recv()).await.unwrap().unwrap();
    let own = spans(&sent);
    assert_eq!(own.len(), 1, "{sent:?}");
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    let read = |hex| u128::from_str_radix(hex, 16).unwrap();
    assert_eq!(number(&own[0].trace_id), read(trace));
    assert_eq!(number(&own[0].parent_span_id), read(parent));
    let text = format!("{sent:?}");
    for told in ["/heelorigin.v1.ScoringService/ScoreFindings", "req-7", "heel-origin"] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(!text.contains("slump"), "{text}");
    assert_eq!(served.output().status.code(), Some(0));
}
