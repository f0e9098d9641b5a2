//! Callers who score, one after another, until they are told to stop.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use heel_origin::grpc::pb::finding::Value;
use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use heel_origin::grpc::pb::{Assessment, Finding, ScoreFindingsRequest};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// What callers saw.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Answered calls, by how long each took.
    pub(crate) took: Vec<Duration>,
    /// Failed calls by their code and message.
    pub(crate) failed: BTreeMap<(i32, String), usize>,
}

impl Tally {
    pub(crate) fn failures(&self) -> usize {
        self.failed.values().sum()
    }

    /// A quantile of the durations.
    pub(crate) fn quantile(&mut self, share: f64) -> Duration {
        self.took.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = (share * (self.took.len().max(1) - 1) as f64).round() as usize;
        self.took.get(index).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        for (key, count) in other.failed {
            *self.failed.entry(key).or_default() += count;
        }
    }
}

/// A request of three findings.
pub(crate) fn request() -> ScoreFindingsRequest {
    let finding = |id: &str, present| Finding {
        id: id.to_owned(),
        value: Some(Value::Present(present)),
        ..Finding::default()
    };
    let findings = vec![
        finding("slump_test", true),
        finding("achilles_reflex_reduced", true),
        finding("first_step_pain", false),
    ];
    let assessment = Assessment { findings, ..Assessment::default() };
    ScoreFindingsRequest { assessment: Some(assessment), options: None }
}

/// As many callers as there are channels, each sending its next call when the last is answered, until `stop`.
pub(crate) async fn load(channels: Vec<Channel>, stop: CancellationToken) -> Tally {
    let mut callers = JoinSet::new();
    for channel in channels {
        let stop = stop.clone();
        callers.spawn(async move {
            let mut own = Tally::default();
            let mut client = ScoringServiceClient::new(channel);
            while !stop.is_cancelled() {
                let begun = Instant::now();
                match client.score_findings(request()).await {
                    Ok(_) => own.took.push(begun.elapsed()),
                    Err(status) => {
                        let key = (status.code() as i32, status.message().to_owned());
                        *own.failed.entry(key).or_default() += 1;
                    }
                }
            }
            own
        });
    }
    let mut tally = Tally::default();
    while let Some(own) = callers.join_next().await {
        tally.add(own.unwrap());
    }
    tally
}
