//! Every id that the knowledge base knows, sent as findings: a known id in a log would tell of a patient.

use heel_origin::grpc::pb::finding::Value;
use heel_origin::grpc::pb::{
    Assessment, Consistency, Finding, FindingDefinition, Patient, Quantity, ScoreFindingsRequest,
    ScoreOptions, Sex, Side, StreamScoresRequest, SuggestFindingsRequest, View,
};
use prost::Message as _;

use crate::canary::Watched;
use crate::fields::AGE;
use crate::wire::framed;

/// Findings of one request.
const TOGETHER: usize = 40;
const SERVICE: &str = "/heelorigin.v1.ScoringService";

/// A value of the kind that a finding takes, or of the other one.
fn finding(own: &FindingDefinition, is_present: bool, is_right_kind: bool) -> Finding {
    let quantity = own.measure.as_ref().map(|measure| Quantity {
        value: measure.minimum.midpoint(measure.maximum),
        unit: measure.unit.clone(),
    });
    let (id, value) = match (&own.measure, quantity) {
        (Some(measure), Some(quantity)) if is_right_kind => {
            (&measure.id, Value::Quantity(quantity))
        }
        _ if is_right_kind => (&own.id, Value::Present(is_present)),
        _ => (&own.id, Value::Quantity(Quantity { value: 1.0, unit: "deg".to_owned() })),
    };
    Finding { id: id.clone(), value: Some(value), side: Side::Unspecified.into() }
}

pub(crate) async fn send(watched: &mut Watched, definitions: &[FindingDefinition]) {
    // Alone, since one that is refused takes the others with it.
    for own in definitions {
        let findings = vec![finding(own, true, true)];
        let assessment = Some(Assessment { findings, ..Assessment::default() });
        let score = ScoreFindingsRequest { assessment, options: None };
        watched
            .send(&format!("{SERVICE}/ScoreFindings"), &[], framed(&score.encode_to_vec()), false)
            .await;
    }
    for together in definitions.chunks(TOGETHER) {
        for (is_present, is_right_kind) in [(true, true), (false, true), (true, false)] {
            for consistency in [Consistency::Lenient, Consistency::Strict] {
                let findings = together.iter().map(|own| finding(own, is_present, is_right_kind));
                let patient = Patient { age_years: Some(AGE), sex: Sex::Female.into() };
                let assessment = Some(Assessment {
                    assessment_id: "visit-2".to_owned(),
                    patient: Some(patient),
                    side: Side::Right.into(),
                    findings: findings.collect(),
                    setting: String::new(),
                });
                let options = Some(ScoreOptions {
                    view: View::Full.into(),
                    consistency: consistency.into(),
                    ..ScoreOptions::default()
                });
                both(watched, assessment, options).await;
            }
        }
    }
}

/// Scored, streamed and asked for suggestions.
async fn both(
    watched: &mut Watched,
    assessment: Option<Assessment>,
    options: Option<ScoreOptions>,
) {
    let score = ScoreFindingsRequest { assessment: assessment.clone(), options: options.clone() };
    let stream = StreamScoresRequest { assessment: assessment.clone(), options: options.clone() };
    let suggest = SuggestFindingsRequest { assessment, options, max_effort: String::new() };
    for (method, message) in [
        ("ScoreFindings", score.encode_to_vec()),
        ("StreamScores", stream.encode_to_vec()),
        ("SuggestFindings", suggest.encode_to_vec()),
    ] {
        watched.send(&format!("{SERVICE}/{method}"), &[], framed(&message), false).await;
    }
}
