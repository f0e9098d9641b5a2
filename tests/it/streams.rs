//! `StreamScores`, `SuggestFindings` and the lists of rules, over the wire.

use std::time::Duration;

use heel_origin::grpc::pb::stream_scores_response::Outcome;
use heel_origin::grpc::pb::{
    Assessment, ListInstrumentsRequest, ListRedFlagsRequest, ScoreFindingsRequest, ScoreOptions,
    StopReason, StreamScoresRequest, StreamScoresResponse, SuggestFindingsRequest, Urgency,
};
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::support::{TestServer, yes_no};

fn item(id: &str, finding: &str) -> StreamScoresRequest {
    let assessment = Assessment {
        assessment_id: id.into(),
        findings: vec![yes_no(finding, true)],
        ..Assessment::default()
    };
    StreamScoresRequest { assessment: Some(assessment), options: None }
}

async fn answers(
    server: &TestServer,
    items: Vec<StreamScoresRequest>,
) -> Vec<StreamScoresResponse> {
    let stream = server.scoring().await.stream_scores(tokio_stream::iter(items)).await.unwrap();
    stream.into_inner().map(Result::unwrap).collect().await
}

#[tokio::test]
async fn a_stream_is_answered_in_order_and_a_bad_item_ends_nothing() {
    let server = TestServer::start().await;
    let mut items: Vec<StreamScoresRequest> =
        (0..40).map(|number| item(&format!("a-{number}"), "slump_test")).collect();
    items[7] = item("a-7", "slump_tset");
    items[9].assessment = None;
    items[11] = item("not a plain id", "slump_test");
    items[13].options = Some(ScoreOptions { model_version: "none".into(), ..Default::default() });
    let answers = answers(&server, items.clone()).await;
    assert_eq!(answers.len(), 40);
    for (position, (answer, item)) in answers.iter().zip(&items).enumerate() {
        assert_eq!(answer.position, position as u64);
        match answer.outcome.as_ref().unwrap() {
            Outcome::Score(score) => {
                assert_eq!(answer.assessment_id, format!("a-{position}"));
                let request = ScoreFindingsRequest {
                    assessment: item.assessment.clone(),
                    options: item.options.clone(),
                };
                assert_eq!(score, &server.score(request).await.unwrap());
            }
            Outcome::Error(status) => {
                let code = if position == 13 { Code::NotFound } else { Code::InvalidArgument };
                assert!([7, 9, 11, 13].contains(&position), "{status:?}");
                assert_eq!((status.code, status.details.is_empty()), (code as i32, false));
            }
        }
    }
    assert_eq!((answers[9].assessment_id.as_str(), answers[11].assessment_id.as_str()), ("", ""));
}

#[tokio::test]
async fn a_caller_who_does_not_read_is_not_read_ahead_of() {
    let server = TestServer::start().await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    // A large request with a small answer that costs nothing to find.
    let large = item(&"x".repeat(30_000), "slump_test");
    let stream = server.scoring().await.stream_scores(requests).await.unwrap();
    // Nobody reads the answers: windows fill up, and then nothing more is taken.
    let mut sent = 0;
    while sent < 20_000 {
        match tokio::time::timeout(Duration::from_secs(2), sender.send(large.clone())).await {
            Ok(taken) => taken.unwrap(),
            Err(_) => break,
        }
        sent += 1;
    }
    assert!(sent < 20_000, "the server reads without end");
    // Once they are read, all that was sent is answered.
    drop(sender);
    let answered = stream.into_inner().map(Result::unwrap).fold(0, |count, _| count + 1).await;
    assert_eq!(answered, sent);
}

#[tokio::test]
async fn suggestions_come_with_safety_first() {
    let server = TestServer::start().await;
    let assessment = Assessment {
        findings: vec![yes_no("calf_swelling_unilateral", true), yes_no("slump_test", true)],
        ..Assessment::default()
    };
    let request = SuggestFindingsRequest {
        assessment: Some(assessment),
        ..SuggestFindingsRequest::default()
    };
    let mut client = server.scoring().await;
    let answer = client.suggest_findings(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.red_flags[0].red_flag, "deep_vein_thrombosis");
    assert_eq!(answer.red_flags[0].urgency(), Urgency::Emergency);
    assert_eq!((answer.red_flag_questions.len(), answer.suggestions.len()), (11, 5));
    assert_eq!(answer.stop.unwrap().reason(), StopReason::ActFirst);
    let asked = |effort: &str, most| {
        let options = ScoreOptions { max_suggestions: Some(most), ..ScoreOptions::default() };
        let options = Some(options);
        SuggestFindingsRequest { max_effort: effort.into(), options, ..request.clone() }
    };
    let answer = client.suggest_findings(asked("asked", 50)).await.unwrap().into_inner();
    assert!(answer.suggestions.iter().all(|own| own.effort == "asked"));
    for (request, field) in
        [(asked("hard", 5), "max_effort"), (asked("", 51), "options.max_suggestions")]
    {
        let refused = client.suggest_findings(request).await.unwrap_err();
        assert_eq!(crate::support::violations(&refused)[0].0, field);
    }
    let none = client.suggest_findings(asked("", 0)).await.unwrap().into_inner();
    assert!(none.suggestions.is_empty());
}

#[tokio::test]
async fn red_flags_and_instruments_are_listed() {
    let server = TestServer::start().await;
    let mut client = server.knowledge().await;
    let mut flags = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListRedFlagsRequest { page_size: 10, page_token, ..Default::default() };
        let page = client.list_red_flags(request).await.unwrap().into_inner();
        assert_eq!(page.questions.len(), 12);
        assert!(page.implications.iter().any(|own| own.means == "leg_weakness"));
        flags.extend(page.red_flags);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(flags.len(), 34);
    for flag in &flags {
        assert!(!flag.trigger.is_empty() && !flag.action.is_empty() && !flag.source.is_empty());
        assert!(!flag.inputs.is_empty() && flag.urgency() != Urgency::Unspecified);
    }
    let request =
        heel_origin::grpc::pb::GetFindingRequest { id: "foot_drop".into(), ..Default::default() };
    let drop = client.get_finding(request).await.unwrap().into_inner().finding.unwrap();
    assert!(drop.red_flags.contains(&"foot_drop_acute_or_progressive".to_owned()), "{drop:?}");
    let request = ListInstrumentsRequest::default();
    let instruments = client.list_instruments(request).await.unwrap().into_inner().instruments;
    assert_eq!(instruments.len(), 9);
    for own in &instruments {
        assert!(!own.items.is_empty() && !own.readings.is_empty() && !own.accuracy.is_empty());
        assert!(
            own.items.iter().all(|item| !item.levels.is_empty() && !item.definition.is_empty())
        );
        assert!(!own.licence_note.is_empty() && !own.conditions.is_empty());
    }
}
