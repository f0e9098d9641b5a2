//! Scores over the wire.

use heel_origin::grpc::pb::{
    Assessment, Basis, Finding, Patient, ScoreFindingsRequest, ScoreFindingsResponse, ScoreOptions,
    Sex, Side, View,
};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

use crate::support::{MODEL, TestServer, request, yes_no};

/// The request that `serve` prints.
fn worked_example() -> ScoreFindingsRequest {
    let findings = vec![
        yes_no("slump_test", true),
        yes_no("achilles_reflex_reduced", true),
        yes_no("first_step_pain", false),
    ];
    let patient = Patient { age_years: Some(52), sex: Sex::Female.into() };
    let assessment = Assessment {
        assessment_id: "worked-example.1".into(),
        patient: Some(patient),
        side: Side::Right.into(),
        findings,
        setting: String::new(),
    };
    ScoreFindingsRequest { assessment: Some(assessment), options: None }
}

fn with_view(view: View) -> ScoreFindingsRequest {
    let options = ScoreOptions { view: view.into(), ..ScoreOptions::default() };
    ScoreFindingsRequest { options: Some(options), ..worked_example() }
}

/// Whether everything that can be zero with a meaning is there, so that JSON shows it.
fn assert_every_number_is_set(response: &ScoreFindingsResponse) {
    assert!(response.unexplained.is_some() && response.several_origins.is_some());
    for origin in &response.origins {
        let numbers =
            [origin.likelihood, origin.weight, origin.pretest, origin.single_origin_probability];
        assert!(numbers.iter().all(Option::is_some), "{origin:?}");
        assert!(origin.likelihood_interval.is_some() && origin.weight_interval.is_some());
    }
    for condition in &response.conditions {
        let numbers =
            [condition.present, condition.likelihood, condition.weight, condition.pretest];
        assert!(numbers.iter().all(Option::is_some), "{condition:?}");
        assert!(condition.present_interval.is_some());
    }
}

#[tokio::test]
async fn the_worked_example_is_answered_in_full() {
    let server = TestServer::start().await;
    let response = server.score(worked_example()).await.unwrap();
    assert_eq!(response.assessment_id, "worked-example.1");
    assert_eq!(response.setting, "primary_care");
    assert_eq!(response.basis(), Basis::HeelPain);
    let model = response.model.clone().unwrap();
    assert_eq!(model.digest.len(), 64);
    assert_eq!(model.version, MODEL.knowledge().card.version);
    assert_eq!(model.engine_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(response.origins.len(), 4);
    assert_eq!(response.conditions.len(), MODEL.knowledge().conditions.len());
    assert!(response.contributions.is_empty(), "contributions are for VIEW_FULL");
    assert_every_number_is_set(&response);
}

#[tokio::test]
async fn weights_and_unexplained_sum_to_one() {
    let server = TestServer::start().await;
    let response = server.score(worked_example()).await.unwrap();
    let weights: f64 = response.origins.iter().filter_map(|origin| origin.weight).sum();
    let total = weights + response.unexplained.unwrap();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
}

#[tokio::test]
async fn an_unspecified_view_is_the_basic_one_and_the_full_one_adds_contributions() {
    let server = TestServer::start().await;
    let unspecified = server.score(worked_example()).await.unwrap();
    let basic = server.score(with_view(View::Basic)).await.unwrap();
    let full = server.score(with_view(View::Full)).await.unwrap();
    assert_eq!(unspecified, basic);
    let units: Vec<&str> = full.contributions.iter().map(|part| part.unit.as_str()).collect();
    assert!(units.contains(&"s1_root_signs") && units.contains(&"female"), "{units:?}");
    assert!(full.contributions.iter().all(|part| part.origins.len() == 4));
    assert!(!full.instruments.is_empty() && !full.suggestions.is_empty());
    assert!(basic.open_red_flags.len() < full.open_red_flags.len() && !basic.summary.is_empty());
    let reduced = ScoreFindingsResponse {
        contributions: Vec::new(),
        open_red_flags: basic.open_red_flags.clone(),
        instruments: Vec::new(),
        suggestions: Vec::new(),
        stop: None,
        reversals: Vec::new(),
        conflict: None,
        ..full
    };
    assert_eq!(reduced, basic);
}

#[tokio::test]
async fn an_empty_assessment_returns_the_pretest_and_says_what_was_assumed() {
    let server = TestServer::start().await;
    let response = server.score(request(Vec::new())).await.unwrap();
    for origin in &response.origins {
        assert_eq!(origin.likelihood, origin.pretest);
    }
    let codes: Vec<&str> = response.notices.iter().map(|notice| notice.code.as_str()).collect();
    assert!(codes.contains(&"HEEL_PAIN_ASSUMED"), "{codes:?}");
    let assumed =
        response.notices.iter().find(|notice| notice.code == "HEEL_PAIN_ASSUMED").unwrap();
    assert_eq!(assumed.subjects, ["heel_pain"]);
}

/// Ids of the findings that a notice names.
fn subjects(response: &ScoreFindingsResponse, code: &str) -> Vec<String> {
    let named = response.notices.iter().filter(|notice| notice.code == code);
    named.flat_map(|notice| notice.subjects.clone()).collect()
}

#[tokio::test]
async fn parts_of_a_composite_that_change_nothing_are_named() {
    let server = TestServer::start().await;
    let part = yes_no("back_pain_at_night", true);
    let few = request(vec![part.clone(), yes_no("slump_test", true)]);
    let few = server.score(few).await.unwrap();
    assert_eq!(subjects(&few, "FINDING_WITHOUT_WEIGHT"), ["back_pain_at_night"]);
    let whole = yes_no("inflammatory_back_pain", false);
    let parts = ["morning_stiffness_over_30_min", "back_pain_improves_with_exercise"];
    let parts = parts.into_iter().chain(["back_pain_at_night", "alternating_buttock_pain"]);
    let parts: Vec<_> = parts.map(|id| yes_no(id, true)).collect();
    let enough = server.score(request(parts.clone())).await.unwrap();
    assert!(subjects(&enough, "FINDING_WITHOUT_WEIGHT").is_empty());
    let contradicting = parts.into_iter().chain([whole]).collect();
    let contradicting = server.score(request(contradicting)).await.unwrap();
    assert_eq!(subjects(&contradicting, "FINDING_WITHOUT_WEIGHT").len(), 5);
}

#[tokio::test]
async fn a_finding_of_the_other_side_stands_once_and_is_named_once() {
    let server = TestServer::start().await;
    let on = |side: Side| Finding { side: side.into(), ..yes_no("slump_test", true) };
    let of = |findings: Vec<Finding>| {
        let mut request = request(findings);
        let assessment = request.assessment.get_or_insert_default();
        assessment.side = Side::Right.into();
        request
    };
    let response = server.score(of(vec![on(Side::Left), on(Side::Right)])).await.unwrap();
    assert_eq!(subjects(&response, "OTHER_SIDE_NOT_USED"), ["slump_test"]);
    for twice in
        [vec![on(Side::Left), on(Side::Left)], vec![on(Side::Unspecified), on(Side::Right)]]
    {
        let status = server.score(of(twice)).await.unwrap_err();
        assert!(status.message().contains("assessment.findings[1].id"), "{}", status.message());
    }
}

#[tokio::test]
async fn without_heel_pain_there_are_no_weights() {
    let server = TestServer::start().await;
    let response = server.score(request(vec![yes_no("heel_pain", false)])).await.unwrap();
    assert_eq!(response.basis(), Basis::PresenceOnly);
    assert_eq!(response.unexplained, None);
    assert!(response.origins.iter().all(|origin| origin.weight.is_none()));
    assert!(response.origins.iter().all(|origin| origin.weight_interval.is_none()));
    assert!(response.origins.iter().all(|origin| origin.likelihood.is_some()));
    assert!(response.notices.iter().any(|notice| notice.code == "HEEL_PAIN_ABSENT"));
}

#[tokio::test]
async fn a_named_setting_and_level_are_used_and_named() {
    let server = TestServer::start().await;
    let mut request = worked_example();
    request.assessment.as_mut().unwrap().setting = "podiatry".into();
    request.options = Some(ScoreOptions { credible_level: Some(0.8), ..ScoreOptions::default() });
    let response = server.score(request).await.unwrap();
    assert_eq!(response.setting, "podiatry");
    let interval = response.origins.first().unwrap().likelihood_interval.unwrap();
    assert!((interval.level - 0.8).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_configured_default_setting_answers_an_assessment_that_names_none() {
    let server = TestServer::with(&[("scoring.default_setting", "specialist_referral")]).await;
    let response = server.score(worked_example()).await.unwrap();
    assert_eq!(response.setting, "specialist_referral");
}

#[tokio::test]
async fn the_same_request_twice_gives_identical_bytes() {
    let server = TestServer::start().await;
    let first = raw_answer(&server, with_view(View::Full)).await;
    let second = raw_answer(&server, with_view(View::Full)).await;
    assert!(!first.is_empty());
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_well_formed_request_id_is_kept_and_another_replaced() {
    let server = TestServer::start().await;
    let mut client = server.scoring().await;
    let id = async |client: &mut _, sent: &'static str| {
        let client: &mut heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient<_> =
            client;
        let mut call = Request::new(worked_example());
        call.metadata_mut().insert("x-request-id", sent.parse().unwrap());
        let answer = client.score_findings(call).await.unwrap();
        answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(id(&mut client, "caller-7.a_B").await, "caller-7.a_B");
    let replaced = id(&mut client, "two words").await;
    assert!(!replaced.is_empty() && replaced != "two words");
    assert_ne!(id(&mut client, "two words").await, replaced);
}

/// The response's bytes as they came over the wire.
async fn raw_answer(server: &TestServer, request: ScoreFindingsRequest) -> Vec<u8> {
    let path = PathAndQuery::from_static("/heelorigin.v1.ScoringService/ScoreFindings");
    let mut client = tonic::client::Grpc::new(server.channel().await);
    client.ready().await.unwrap();
    let bytes = prost::Message::encode_to_vec(&request);
    client.unary(Request::new(bytes), path, Raw).await.unwrap().into_inner()
}

/// Passes messages through as bytes.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; bytes::Buf::remaining(buffer)];
        bytes::Buf::copy_to_slice(buffer, &mut bytes);
        Ok(Some(bytes))
    }
}
