//! `ScoringService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::models::Models;
use super::pb;
use super::workers::Workers;
use super::{answer, status};

/// The scoring service over the loaded models.
#[derive(Debug)]
pub(super) struct Scoring {
    models: Arc<Models>,
    workers: Workers,
}

impl Scoring {
    pub(super) const fn new(models: Arc<Models>, workers: Workers) -> Self {
        Self { models, workers }
    }
}

#[tonic::async_trait]
impl pb::scoring_service_server::ScoringService for Scoring {
    async fn score_findings(
        &self,
        request: Request<pb::ScoreFindingsRequest>,
    ) -> Result<Response<pb::ScoreFindingsResponse>, Status> {
        let request = request.into_inner();
        let loaded = self.models.select(answer::asked_version(&request)).cloned();
        let loaded = loaded.ok_or_else(|| status::unknown_model(&self.models))?;
        let answered = self.workers.run(move || answer::answer(&loaded, request)).await;
        let answered = answered.map_err(status::worker)?;
        answered.map(Response::new).map_err(|rejected| status::rejected(&rejected))
    }
}
