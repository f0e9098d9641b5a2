//! `ScoringService`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::audit::{AnsweredBy, RequestCode, Trail};
use crate::intake::Rejected;
use crate::workers::{WorkerError, Workers};

use super::models::{Live, Loaded, Models};
use super::{answer, parse, pb, status};

/// Path of the method, as the audit log names it.
pub(crate) const STREAM_SCORES: &str = "/heelorigin.v1.ScoringService/StreamScores";
/// Scores of one stream that are computed at a time: enough to keep a few workers busy, few enough to leave some to others.
const STREAM_WORKERS: usize = 4;

/// The scoring service over the loaded models.
#[derive(Debug)]
pub(super) struct Scoring {
    live: Arc<Live>,
    workers: Workers,
}

impl Scoring {
    pub(super) const fn new(live: Arc<Live>, workers: Workers) -> Self {
        Self { live, workers }
    }
}

/// The model that options ask for.
fn loaded(models: &Models, options: Option<&pb::ScoreOptions>) -> Result<Loaded, Status> {
    let loaded = models.select(answer::asked_version(options)).cloned();
    loaded.ok_or_else(|| status::unknown_model(models))
}

#[tonic::async_trait]
impl pb::scoring_service_server::ScoringService for Scoring {
    type StreamScoresStream =
        Pin<Box<dyn Stream<Item = Result<pb::StreamScoresResponse, Status>> + Send>>;

    async fn score_findings(
        &self,
        request: Request<pb::ScoreFindingsRequest>,
    ) -> Result<Response<pb::ScoreFindingsResponse>, Status> {
        let request = request.into_inner();
        let loaded = loaded(&self.live.now(), request.options.as_ref())?;
        let by = loaded.answered_by();
        let response = answered(self.workers.run(move || answer::score(&loaded, request)).await);
        response.map(|response| with(response, by))
    }

    async fn suggest_findings(
        &self,
        request: Request<pb::SuggestFindingsRequest>,
    ) -> Result<Response<pb::SuggestFindingsResponse>, Status> {
        let request = request.into_inner();
        let loaded = loaded(&self.live.now(), request.options.as_ref())?;
        let by = loaded.answered_by();
        let response = answered(self.workers.run(move || answer::suggest(&loaded, request)).await);
        response.map(|response| with(response, by))
    }

    async fn stream_scores(
        &self,
        requests: Request<Streaming<pb::StreamScoresRequest>>,
    ) -> Result<Response<Self::StreamScoresStream>, Status> {
        // A stream ends with the models that it began with.
        let (models, workers) = (self.live.now(), self.workers.clone());
        let trail = requests.extensions().get::<Trail>().cloned();
        let scores = until_told_to_end(requests).enumerate().map(move |(position, request)| {
            let (models, workers, trail) = (Arc::clone(&models), workers.clone(), trail.clone());
            async move {
                let request = request?;
                let code = trail.as_ref().map(|trail| frame_code(trail, &request));
                let answer = item(&models, &workers, position, request).await;
                recorded(trail.zip(code), answer).await
            }
        });
        // A request is read only when there is room for its answer: a slow caller is not read ahead of. What cannot be read ends
        // the stream, after the answers before it.
        let answers = scores.buffered(STREAM_WORKERS).scan(false, |ended, answer| {
            let last = std::mem::replace(ended, answer.is_err());
            std::future::ready((!last).then_some(answer))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The requests of a stream, until its connection is to end: then `UNAVAILABLE`, so that the caller sends the rest elsewhere.
fn until_told_to_end(
    mut requests: Request<Streaming<pb::StreamScoresRequest>>,
) -> impl Stream<Item = Result<pb::StreamScoresRequest, Status>> + Send {
    let end = requests.extensions_mut().remove::<CancellationToken>().unwrap_or_default();
    stream::unfold(Some(requests.into_inner()), move |open| {
        let end = end.clone();
        async move {
            let mut open = open?;
            match end.run_until_cancelled(open.next()).await {
                Some(request) => request.map(|request| (request, Some(open))),
                None => Some((Err(status::ending()), None)),
            }
        }
    })
}

/// One answer of a stream.
async fn item(
    models: &Models,
    workers: &Workers,
    position: usize,
    request: pb::StreamScoresRequest,
) -> (pb::StreamScoresResponse, String) {
    let pb::StreamScoresRequest { assessment, options } = request;
    let id = assessment.as_ref().map(|own| own.assessment_id.clone()).unwrap_or_default();
    let request = pb::ScoreFindingsRequest { assessment, options };
    let mut by = String::new();
    let score = match loaded(models, request.options.as_ref()) {
        Ok(loaded) => {
            by = loaded.answered_by().0;
            let job = move || answer::score(&loaded, request);
            answered(workers.run_when_free(job).await).map(Response::into_inner)
        }
        Err(status) => Err(status),
    };
    let outcome = match score {
        Ok(score) => pb::stream_scores_response::Outcome::Score(score),
        Err(status) => pb::stream_scores_response::Outcome::Error(status::message(&status)),
    };
    let (assessment_id, position) = (parse::well_formed(id), position as u64);
    (pb::StreamScoresResponse { position, assessment_id, outcome: Some(outcome) }, by)
}

/// Code of a request as its frame would have: whether it is compressed, its length, its bytes.
fn frame_code(trail: &Trail, request: &pb::StreamScoresRequest) -> RequestCode {
    let (code, bytes) = (trail.code(), request.encode_to_vec());
    code.update(&[0]);
    code.update(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    code.update(&bytes);
    code
}

/// An answer of a stream once its line stands in the audit log, if there is one.
async fn recorded(
    trail: Option<(Trail, RequestCode)>,
    (answer, by): (pb::StreamScoresResponse, String),
) -> Result<pb::StreamScoresResponse, Status> {
    if let Some((trail, request)) = trail {
        let code = match &answer.outcome {
            Some(pb::stream_scores_response::Outcome::Error(error)) => Code::from(error.code),
            _ => Code::Ok,
        };
        let written = trail.write(STREAM_SCORES, &by, code, request).await;
        written.map_err(|_| status::unaudited())?;
    }
    Ok(answer)
}

fn with<T>(mut response: Response<T>, by: AnsweredBy) -> Response<T> {
    response.extensions_mut().insert(by);
    response
}

fn answered<T>(outcome: Result<Result<T, Rejected>, WorkerError>) -> Result<Response<T>, Status> {
    let answered = outcome.map_err(status::worker)?;
    answered.map(Response::new).map_err(|rejected| status::rejected(&rejected))
}
