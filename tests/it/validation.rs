//! Everything that is wrong with a request is named, and nothing of what was sent is repeated or logged.

use heel_origin::grpc::pb::{
    Assessment, Finding, Patient, ScoreFindingsRequest, ScoreOptions, finding::Value,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::{TestServer, logs, measured, request, violations, yes_no};

/// A known measured id with its unit, and the yes/no id of the same finding.
const MEASURED: (&str, &str) = ("ankle_dorsiflexion_angle", "deg");

fn unit(text: &str) -> Finding {
    measured(MEASURED.0, 5.0, text)
}

fn assessment(change: impl FnOnce(&mut Assessment)) -> ScoreFindingsRequest {
    let mut changed = Assessment::default();
    change(&mut changed);
    ScoreFindingsRequest { assessment: Some(changed), options: None }
}

fn options(change: impl FnOnce(&mut ScoreOptions)) -> ScoreFindingsRequest {
    let mut changed = ScoreOptions::default();
    change(&mut changed);
    ScoreFindingsRequest { options: Some(changed), ..request(Vec::new()) }
}

fn age(years: u32) -> ScoreFindingsRequest {
    assessment(|assessment| {
        assessment.patient = Some(Patient { age_years: Some(years), ..Patient::default() });
    })
}

fn level(level: f64) -> ScoreFindingsRequest {
    options(|options| options.credible_level = Some(level))
}

/// Every single fault with the field and the reason that must be named.
fn single_faults() -> Vec<(ScoreFindingsRequest, &'static str, &'static str)> {
    let first = "assessment.findings[0]";
    let no_value = Finding { id: "slump_test".into(), ..Finding::default() };
    let unknown_side = Finding { side: 9, ..yes_no("slump_test", true) };
    let at = |field: &str| -> &'static str { format!("{first}.{field}").leak() };
    let twice = vec![yes_no("slump_test", true), yes_no("slump_test", true)];
    vec![
        (ScoreFindingsRequest::default(), "assessment", "MISSING"),
        (request(vec![yes_no("slump_tset", true)]), at("id"), "UNKNOWN_FINDING"),
        (request(vec![yes_no("a\u{7}b", true)]), at("id"), "MALFORMED_ID"),
        (request(twice), "assessment.findings[1].id", "DUPLICATE_FINDING"),
        (request(vec![no_value]), at("value"), "MISSING_VALUE"),
        (request(vec![measured("slump_test", 1.0, "deg")]), at("value"), "EXPECTED_YES_NO"),
        (request(vec![yes_no(MEASURED.0, true)]), at("value"), "EXPECTED_QUANTITY"),
        (request(vec![unit("rad")]), at("quantity.unit"), "WRONG_UNIT"),
        (
            request(vec![measured(MEASURED.0, f64::NAN, MEASURED.1)]),
            at("quantity.value"),
            "NOT_FINITE",
        ),
        (
            request(vec![measured(MEASURED.0, 1e9, MEASURED.1)]),
            at("quantity.value"),
            "OUT_OF_RANGE",
        ),
        (request(vec![unknown_side]), at("side"), "UNKNOWN_ENUM_VALUE"),
        (age(0), "assessment.patient.age_years", "OUT_OF_RANGE"),
        (age(200), "assessment.patient.age_years", "OUT_OF_RANGE"),
        (
            assessment(|a| a.patient = Some(Patient { sex: 7, ..Patient::default() })),
            "assessment.patient.sex",
            "UNKNOWN_ENUM_VALUE",
        ),
        (assessment(|a| a.side = 9), "assessment.side", "UNKNOWN_ENUM_VALUE"),
        (assessment(|a| a.side = 3), "assessment.side", "UNKNOWN_ENUM_VALUE"),
        (assessment(|a| a.setting = "ward".into()), "assessment.setting", "UNKNOWN_SETTING"),
        (
            assessment(|a| a.assessment_id = "with\nbreak".into()),
            "assessment.assessment_id",
            "MALFORMED_ID",
        ),
        (level(0.5), "options.credible_level", "OUT_OF_RANGE"),
        (level(0.999), "options.credible_level", "OUT_OF_RANGE"),
        (options(|o| o.view = 9), "options.view", "UNKNOWN_ENUM_VALUE"),
    ]
}

#[tokio::test]
async fn each_fault_alone_is_named_by_field_and_reason() {
    let server = TestServer::start().await;
    for (request, field, reason) in single_faults() {
        let status = server.score(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field} {reason}");
        assert_eq!(violations(&status), [(field.to_owned(), reason.to_owned())]);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "heelorigin.v1"));
        assert!(info.metadata.is_empty(), "{info:?}");
    }
}

#[tokio::test]
async fn all_faults_are_named_in_one_answer() {
    let server = TestServer::start().await;
    let mut findings = Vec::new();
    let mut expected = Vec::new();
    let mut combined = ScoreFindingsRequest {
        assessment: Some(Assessment::default()),
        options: Some(ScoreOptions { credible_level: Some(0.2), view: 9, ..Default::default() }),
    };
    for (request, field, reason) in single_faults() {
        let own = request.assessment.map(|assessment| assessment.findings).unwrap_or_default();
        if own.is_empty() {
            continue;
        }
        let offset = findings.len();
        let field = field.replace("findings[1]", &format!("findings[{}]", offset + 1));
        let field = field.replace("findings[0]", &format!("findings[{offset}]"));
        expected.push((field, reason.to_owned()));
        findings.extend(own);
    }
    // The same id stands in several of the faults: what comes later is then a duplicate as well.
    let assessment = combined.assessment.as_mut().unwrap();
    assessment.findings = findings;
    assessment.setting = "ward".into();
    assessment.assessment_id = "with\nbreak".into();
    assessment.side = 9;
    assessment.patient = Some(Patient { age_years: Some(200), sex: 7 });
    for (field, reason) in [
        ("assessment.assessment_id", "MALFORMED_ID"),
        ("assessment.patient.age_years", "OUT_OF_RANGE"),
        ("assessment.patient.sex", "UNKNOWN_ENUM_VALUE"),
        ("assessment.side", "UNKNOWN_ENUM_VALUE"),
        ("assessment.setting", "UNKNOWN_SETTING"),
        ("options.credible_level", "OUT_OF_RANGE"),
        ("options.view", "UNKNOWN_ENUM_VALUE"),
    ] {
        expected.push((field.into(), reason.into()));
    }
    let status = server.score(combined).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let named = violations(&status);
    for violation in expected {
        assert!(named.contains(&violation), "{violation:?} is not in {named:#?}");
    }
}

#[tokio::test]
async fn an_unknown_id_is_answered_with_the_nearest_ones() {
    let server = TestServer::start().await;
    let status = server.score(request(vec![yes_no("slump_tset", true)])).await.unwrap_err();
    let listed = status.get_details_bad_request().unwrap().field_violations;
    assert!(listed.first().unwrap().description.contains("slump_test"), "{listed:?}");
    assert!(status.message().contains("slump_test"), "many clients show the message only");
}

#[tokio::test]
async fn a_credible_level_that_is_no_number_is_refused() {
    let server = TestServer::start().await;
    for number in [f64::NAN, f64::INFINITY, -1.0] {
        let status = server.score(level(number)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let named = violations(&status);
        assert_eq!(named.first().unwrap().0, "options.credible_level");
    }
}

#[tokio::test]
async fn an_unknown_model_version_is_not_found_and_answered_alone() {
    let server = TestServer::start().await;
    let mut request = request(vec![yes_no("no_such_finding", true)]);
    request.options =
        Some(ScoreOptions { model_version: "canary-version".into(), ..ScoreOptions::default() });
    let status = server.score(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(violations(&status).is_empty());
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "MODEL_VERSION_NOT_FOUND");
    assert!(!status.message().contains("canary"));
}

#[tokio::test]
async fn five_hundred_findings_are_too_many() {
    let server = TestServer::start().await;
    let findings = (0..500).map(|number| yes_no(&format!("unknown_{number}"), true)).collect();
    let status = server.score(request(findings)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let named = violations(&status);
    assert!(named.contains(&("assessment.findings".into(), "TOO_MANY_FINDINGS".into())));
    assert!(status.details().len() <= 4096, "{}", status.details().len());
}

#[tokio::test]
async fn as_many_violations_as_fit_are_listed_and_the_others_counted() {
    let server = TestServer::start().await;
    let findings = (0..256).map(|number| yes_no(&format!("unknown_{number}"), true)).collect();
    let status = server.score(request(findings)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.details().len() <= 4096, "{}", status.details().len());
    let listed = violations(&status).len();
    let info = status.get_details_error_info().unwrap();
    let omitted: usize = info.metadata.get("violations_omitted").unwrap().parse().unwrap();
    assert_eq!(info.metadata.len(), 1);
    assert!(10 < listed, "{listed}");
    assert_eq!(listed + omitted, 256);
}

#[tokio::test]
async fn a_patient_under_eighteen_is_refused_unless_accepted() {
    let server = TestServer::start().await;
    let status = server.score(age(17)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.get_details_error_info().unwrap().reason, "PATIENT_OUT_OF_SCOPE");
    let accepted = ScoreFindingsRequest {
        options: Some(ScoreOptions { accept_out_of_scope: true, ..ScoreOptions::default() }),
        ..age(17)
    };
    let response = server.score(accepted).await.unwrap();
    assert!(response.notices.iter().any(|notice| notice.code == "PATIENT_OUT_OF_SCOPE"));
}

#[tokio::test]
async fn nothing_that_was_sent_is_repeated_or_logged() {
    let server = TestServer::start().await;
    let canary = "canary_4711";
    let bad = |id: &str, value| Finding { id: id.into(), value, ..Finding::default() };
    let requests = [
        request(vec![bad(canary, Some(Value::Present(true))), bad("canary_4711\n", None)]),
        request(vec![unit("canary_4711"), measured(MEASURED.0, 4_711.25, MEASURED.1)]),
        assessment(|assessment| assessment.setting = canary.into()),
        assessment(|assessment| assessment.assessment_id = "canary_4711 canary".into()),
        assessment(|assessment| assessment.assessment_id = canary.into()),
        options(|options| options.model_version = canary.into()),
        age(47_110),
    ];
    for request in requests {
        if let Err(status) = server.score(request).await {
            let words = repeated_words(&status);
            assert!(!words.contains("4711"), "{words}");
        }
    }
    let logs = logs();
    assert!(logs.contains("ScoringService/ScoreFindings"), "the requests were logged");
    assert!(!logs.contains("canary"), "a value was logged");
    assert!(!logs.contains("slump_test"), "a finding was logged");
}

/// All text of a status, its details included.
fn repeated_words(status: &Status) -> String {
    format!("{} {}", status.message(), String::from_utf8_lossy(status.details()))
}
