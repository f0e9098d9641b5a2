//! The least that a service of this contract costs: decodes the same request and answers with a message that stands ready.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;

use futures_util::Stream;
use heel_origin::grpc::pb;
use heel_origin::grpc::pb::scoring_service_server::{ScoringService, ScoringServiceServer};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

struct Floor(pb::ScoreFindingsResponse);

/// Serves one answer on a free port, which is printed, until it is ended.
pub(crate) fn serve(answer: pb::ScoreFindingsResponse) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let incoming = TcpIncoming::bind(address).unwrap().with_nodelay(Some(true));
        println!("listening on {}", incoming.local_addr().unwrap());
        let service = ScoringServiceServer::new(Floor(answer));
        Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
    });
}

type Scores = Pin<Box<dyn Stream<Item = Result<pb::StreamScoresResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ScoringService for Floor {
    type StreamScoresStream = Scores;

    async fn score_findings(
        &self,
        request: Request<pb::ScoreFindingsRequest>,
    ) -> Result<Response<pb::ScoreFindingsResponse>, Status> {
        drop(std::hint::black_box(request.into_inner()));
        Ok(Response::new(self.0.clone()))
    }

    async fn suggest_findings(
        &self,
        _: Request<pb::SuggestFindingsRequest>,
    ) -> Result<Response<pb::SuggestFindingsResponse>, Status> {
        Ok(Response::new(pb::SuggestFindingsResponse::default()))
    }

    async fn stream_scores(
        &self,
        requests: Request<Streaming<pb::StreamScoresRequest>>,
    ) -> Result<Response<Scores>, Status> {
        let outcome = pb::stream_scores_response::Outcome::Score(self.0.clone());
        let answer = pb::StreamScoresResponse {
            outcome: Some(outcome),
            ..pb::StreamScoresResponse::default()
        };
        let answered = move |request: Result<pb::StreamScoresRequest, Status>| {
            request.map(|request| {
                drop(std::hint::black_box(request));
                answer.clone()
            })
        };
        let answers = futures_util::StreamExt::map(requests.into_inner(), answered);
        Ok(Response::new(Box::pin(answers)))
    }
}
