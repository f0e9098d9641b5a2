//! What the model knows, over the wire.

use heel_origin::grpc::pb::{
    BackgroundRate, Estimate, GetConditionRequest, GetFindingRequest, GetModelCardRequest,
    ListConditionsRequest, ListFindingsRequest, ListModelsRequest, ModelVersion, Origin,
    ScoreOptions,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{FIRST, MODEL, TestServer, request, violations};

/// Ids of all pages of a list, asked for a few at a time.
async fn all_ids(server: &TestServer, filter: ListFindingsRequest) -> Vec<String> {
    let mut client = server.knowledge().await;
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListFindingsRequest { page_size: 7, page_token, ..filter.clone() };
        let page = client.list_findings(request).await.unwrap().into_inner();
        assert!(page.findings.iter().all(|finding| finding.links.is_empty()));
        ids.extend(page.findings.into_iter().map(|finding| finding.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

async fn find(server: &TestServer, id: &str) -> heel_origin::grpc::pb::FindingDefinition {
    let request = GetFindingRequest { id: id.into(), model_version: String::new() };
    server.knowledge().await.get_finding(request).await.unwrap().into_inner().finding.unwrap()
}

#[tokio::test]
async fn the_loaded_model_is_listed_and_has_a_card() {
    let server = TestServer::start().await;
    let mut client = server.knowledge().await;
    let listed = client.list_models(ListModelsRequest {}).await.unwrap().into_inner().models;
    let [only] = listed.as_slice() else { panic!("one model is loaded") };
    assert!(only.is_default);
    let ModelVersion { version, digest, .. } = only.model.clone().unwrap();
    assert_eq!((version.as_str(), digest.len()), (MODEL.knowledge().card.version.as_str(), 64));
    for model_version in [String::new(), version] {
        let request = GetModelCardRequest { model_version };
        let card = client.get_model_card(request).await.unwrap().into_inner().card.unwrap();
        assert!(!card.intended_use.is_empty() && !card.limits.is_empty());
        assert_eq!(card.settings.len(), 3);
        assert_eq!(card.condition_count, 18);
        let attributes: Vec<&str> = card.attributes.iter().map(|a| a.name.as_str()).collect();
        for name in ["developer", "funding", "uses_race", "validation", "fairness"] {
            assert!(attributes.contains(&name), "{name}");
        }
        assert!(card.attributes.iter().all(|attribute| !attribute.text.is_empty()));
    }
    let request = GetModelCardRequest { model_version: "none".into() };
    assert_eq!(client.get_model_card(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_version_beside_the_default_is_listed_and_answers_when_it_is_named() {
    let server = TestServer::with_two_models().await;
    let mut client = server.knowledge().await;
    let listed = client.list_models(ListModelsRequest {}).await.unwrap().into_inner().models;
    let listed: Vec<(String, bool)> = listed
        .into_iter()
        .map(|loaded| (loaded.model.unwrap().version, loaded.is_default))
        .collect();
    let newest = MODEL.knowledge().card.version.clone();
    let first = FIRST.knowledge().card.version.clone();
    assert_eq!(listed, [(newest.clone(), true), (first.clone(), false)]);
    for (asked, answers) in [("", &newest), (&newest, &newest), (&first, &first)] {
        let model_version = asked.to_owned();
        let mut scored = request(Vec::new());
        scored.options =
            Some(ScoreOptions { model_version: model_version.clone(), ..Default::default() });
        assert_eq!(&server.score(scored).await.unwrap().model.unwrap().version, answers);
        let card = client.get_model_card(GetModelCardRequest { model_version }).await.unwrap();
        assert_eq!(&card.into_inner().card.unwrap().model.unwrap().version, answers);
    }
}

#[tokio::test]
async fn an_unknown_version_is_not_found_by_any_method() {
    let server = TestServer::with_two_models().await;
    let mut client = server.knowledge().await;
    let model_version = || "2020.1.0".to_owned();
    let mut scored = request(Vec::new());
    scored.options = Some(ScoreOptions { model_version: model_version(), ..Default::default() });
    let findings = ListFindingsRequest { model_version: model_version(), ..Default::default() };
    let conditions = ListConditionsRequest { model_version: model_version(), ..Default::default() };
    let finding = GetFindingRequest { id: "slump_test".into(), model_version: model_version() };
    let condition = GetConditionRequest { id: "sciatica".into(), model_version: model_version() };
    let card = GetModelCardRequest { model_version: model_version() };
    for status in [
        server.score(scored).await.unwrap_err(),
        client.list_findings(findings).await.unwrap_err(),
        client.list_conditions(conditions).await.unwrap_err(),
        client.get_finding(finding).await.unwrap_err(),
        client.get_condition(condition).await.unwrap_err(),
        client.get_model_card(card).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::NotFound);
        for model in [&MODEL, &FIRST] {
            assert!(status.message().contains(&model.knowledge().card.version), "{status}");
        }
    }
}

#[tokio::test]
async fn pages_together_hold_every_finding_once_in_order() {
    let server = TestServer::start().await;
    let ids = all_ids(&server, ListFindingsRequest::default()).await;
    assert!(ids.is_sorted());
    assert!(ids.contains(&"heel_pain".into()) && ids.contains(&"slump_test".into()));
    let whole = ListFindingsRequest { page_size: 100_000, ..ListFindingsRequest::default() };
    let page = server.knowledge().await.list_findings(whole).await.unwrap().into_inner();
    let whole: Vec<String> = page.findings.into_iter().map(|finding| finding.id).collect();
    assert_eq!(ids, whole);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let server = TestServer::start().await;
    let all = all_ids(&server, ListFindingsRequest::default()).await;
    let mut by_kind = Vec::new();
    for kind in ["symptom", "history", "examination", "investigation", "risk_factor"] {
        let filter = ListFindingsRequest { kind: kind.into(), ..ListFindingsRequest::default() };
        by_kind.extend(all_ids(&server, filter).await);
    }
    by_kind.sort();
    assert_eq!(by_kind, all);
    let condition = ListFindingsRequest { condition: "sciatica".into(), ..Default::default() };
    let linked = all_ids(&server, condition).await;
    assert!(linked.contains(&"slump_test".into()) && linked.len() < all.len());
    let query = ListFindingsRequest { query: "SLUMP".into(), ..Default::default() };
    assert!(all_ids(&server, query).await.contains(&"slump_test".into()));
}

#[tokio::test]
async fn everything_wrong_with_a_list_request_is_named_at_once() {
    let server = TestServer::start().await;
    let request = ListFindingsRequest {
        page_size: -1,
        page_token: "made-up".into(),
        kind: "canary".into(),
        condition: "canary".into(),
        ..ListFindingsRequest::default()
    };
    let status = server.knowledge().await.list_findings(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let named: Vec<String> = violations(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(named, ["kind", "condition", "page_size", "page_token"]);
    assert!(!String::from_utf8_lossy(status.details()).contains("canary"));
}

#[tokio::test]
async fn a_page_token_is_bound_to_its_list() {
    let server = TestServer::start().await;
    let mut client = server.knowledge().await;
    let first = ListFindingsRequest { page_size: 2, ..ListFindingsRequest::default() };
    let token = client.list_findings(first).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    let other_filter = ListFindingsRequest {
        page_token: token.clone(),
        kind: "symptom".into(),
        ..ListFindingsRequest::default()
    };
    let status = client.list_findings(other_filter).await.unwrap_err();
    assert_eq!(violations(&status), [("page_token".into(), "INVALID_PAGE_TOKEN".into())]);
    for forged in [format!("{token}0"), token.replace('2', "3"), "é".repeat(12)] {
        let other_list = ListConditionsRequest { page_token: forged, ..Default::default() };
        let status = client.list_conditions(other_list).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    let other_size = ListFindingsRequest { page_size: 9, page_token: token, ..Default::default() };
    let page = client.list_findings(other_size).await.unwrap().into_inner();
    assert_eq!(page.findings.len(), 9, "the size of a page may change");
}

#[tokio::test]
async fn a_finding_is_found_by_id_and_by_measured_id_with_its_links() {
    let server = TestServer::start().await;
    let measured = find(&server, "ankle_dorsiflexion_angle").await;
    let measure = measured.measure.clone().unwrap();
    assert_eq!((measure.unit.as_str(), measure.present.as_str()), ("deg", "below"));
    assert_eq!(find(&server, &measured.id).await, measured);
    for alias in &measured.aliases {
        assert_eq!(find(&server, alias).await, measured);
    }
    let slump = find(&server, "slump_test").await;
    assert!(slump.informative && slump.background_rate.is_some());
    let link = slump.links.iter().find(|link| link.condition == "sciatica").unwrap();
    let sensitivity = link.sensitivity.unwrap();
    assert!(sensitivity.lower < sensitivity.value && sensitivity.value < sensitivity.upper);
    assert!(link.odds_ratio.is_none() && !link.studies.is_empty());
}

#[tokio::test]
async fn the_complaint_is_linked_to_every_condition_and_has_no_background_rate() {
    let server = TestServer::start().await;
    let complaint = find(&server, "heel_pain").await;
    assert_eq!(complaint.links.len(), 18);
    assert!(complaint.background_rate.is_none());
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let server = TestServer::start().await;
    let mut client = server.knowledge().await;
    let request = GetFindingRequest { id: "canary".into(), ..Default::default() };
    let status = client.get_finding(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_details_error_info().unwrap().reason, "FINDING_NOT_FOUND");
    let request = GetConditionRequest { id: "canary".into(), ..Default::default() };
    let status = client.get_condition(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.get_details_error_info().unwrap().reason, "CONDITION_NOT_FOUND");
    let unnamed = client.get_finding(GetFindingRequest::default()).await.unwrap_err();
    assert_eq!(unnamed.code(), Code::InvalidArgument);
    let unnamed = client.get_condition(GetConditionRequest::default()).await.unwrap_err();
    let violations = unnamed.get_details_bad_request().unwrap().field_violations;
    assert_eq!((violations[0].field.as_str(), violations[0].reason.as_str()), ("id", "MISSING"));
}

#[tokio::test]
async fn conditions_come_in_the_models_order_with_a_prevalence_for_each_setting() {
    let server = TestServer::start().await;
    let mut client = server.knowledge().await;
    let page = client.list_conditions(ListConditionsRequest::default()).await.unwrap().into_inner();
    let ids: Vec<&str> = page.conditions.iter().map(|condition| condition.id.as_str()).collect();
    let expected: Vec<&str> =
        MODEL.knowledge().conditions.iter().map(|condition| condition.id.as_str()).collect();
    assert_eq!(ids, expected);
    for condition in &page.conditions {
        assert_ne!(condition.origin(), Origin::Unspecified);
        assert_eq!(condition.prevalences.len(), 3);
        assert!(condition.heel_pain_link.is_some());
        let request = GetConditionRequest { id: condition.id.clone(), ..Default::default() };
        let one = client.get_condition(request).await.unwrap().into_inner().condition.unwrap();
        assert_eq!(one, *condition);
    }
}

/// Half the width of a 95 % interval on the logarithmic scale.
fn half_width(estimate: Estimate) -> f64 {
    (estimate.upper.unwrap() / estimate.lower.unwrap()).ln() / 2.0
}

#[tokio::test]
async fn a_link_has_its_likelihood_ratios_with_intervals_and_its_best_grade() {
    let server = TestServer::start().await;
    let slump = find(&server, "slump_test").await;
    let logit = |p: Option<f64>| p.map(|p| (p / (1.0 - p)).ln()).unwrap();
    let deviation = |rate: Estimate| (logit(rate.upper) - logit(rate.lower)) / 2.0;
    let rate = slump.background_rate.unwrap();
    for link in &slump.links {
        let sensitivity = link.sensitivity.unwrap();
        let (s, r) = (sensitivity.value.unwrap(), rate.value.unwrap());
        let (positive, negative) = (link.lr_positive.unwrap(), link.lr_negative.unwrap());
        assert!((positive.value.unwrap() - s / r).abs() < 1e-9);
        assert!((negative.value.unwrap() - (1.0 - s) / (1.0 - r)).abs() < 1e-9);
        let (ds, dr) = (deviation(sensitivity), deviation(rate));
        let expected = ((1.0 - s) * ds).hypot((1.0 - r) * dr);
        assert!((half_width(positive) - expected).abs() < 1e-9);
        assert!((half_width(negative) - (s * ds).hypot(r * dr)).abs() < 1e-9);
        let used = link.studies.iter().filter(|study| study.excluded.is_empty());
        let grades: Vec<&str> = used.map(|study| study.quality.as_str()).collect();
        let best = ["high", "moderate", "low", "expert"].into_iter().find(|g| grades.contains(g));
        assert_eq!(Some(link.quality.as_str()), best);
    }
    let complaint = find(&server, "heel_pain").await;
    assert!(complaint.links.iter().all(|link| link.lr_positive.is_none()));
    let diabetes = find(&server, "diabetes").await;
    let effect = diabetes.links.first().unwrap();
    assert!(
        effect.odds_ratio.is_some() && effect.lr_negative.is_none() && !effect.quality.is_empty()
    );
}

#[tokio::test]
async fn age_bands_have_their_own_links_and_rates() {
    let server = TestServer::start().await;
    let jerk = find(&server, "achilles_reflex_reduced").await;
    let [usual, old] = jerk.background_rates.as_slice() else { panic!("two rates") };
    assert_eq!((usual.rate, usual.age), (jerk.background_rate, None));
    assert!(old.age.unwrap().minimum >= 60 && usual.rate.unwrap().value < old.rate.unwrap().value);
    assert!(
        jerk.background_rates.iter().all(|rate| !rate.studies.is_empty() && rate.at_least == 0)
    );
    let of_root = jerk.links.iter().filter(|link| link.condition == "sciatica");
    let of_root: Vec<_> = of_root.collect();
    assert_eq!(of_root.iter().map(|link| link.age).collect::<Vec<_>>(), [None, old.age]);
    for (link, rate) in of_root.into_iter().zip([usual, old]) {
        let expected = link.sensitivity.unwrap().value.unwrap() / rate.rate.unwrap().value.unwrap();
        assert!((link.lr_positive.unwrap().value.unwrap() - expected).abs() < 1e-9);
    }
    assert!(jerk.parts.is_empty() && jerk.part_of.is_empty());
}

#[tokio::test]
async fn a_composite_shows_its_parts_and_each_of_its_grades() {
    let server = TestServer::start().await;
    let composite = find(&server, "inflammatory_back_pain").await;
    assert_eq!(composite.parts.len(), 4);
    for id in composite.parts.iter().flat_map(|part| &part.findings) {
        assert_eq!(find(&server, id).await.part_of, composite.id);
    }
    let grades: Vec<u32> = composite.background_rates.iter().map(|rate| rate.at_least).collect();
    assert_eq!(grades, [2, 3]);
    for link in &composite.links {
        let same = |rate: &&BackgroundRate| rate.at_least == link.at_least;
        let rate = composite.background_rates.iter().find(same).unwrap().rate.unwrap();
        let expected = link.sensitivity.unwrap().value.unwrap() / rate.value.unwrap();
        assert!((link.lr_positive.unwrap().value.unwrap() - expected).abs() < 1e-9);
    }
    let linked = |grade: u32| composite.links.iter().filter(move |link| link.at_least == grade);
    assert!(linked(2).count() >= 1 && linked(2).count() == linked(3).count());
}

#[tokio::test]
async fn a_study_shows_its_count_and_its_interval_as_published() {
    let server = TestServer::start().await;
    let mut links = find(&server, "straight_leg_raise").await.links;
    links.extend(find(&server, "thigh_thrust").await.links);
    let studies: Vec<_> = links.into_iter().flat_map(|link| link.studies).collect();
    let counted = studies.iter().find(|study| study.positives.is_some()).unwrap();
    let (positives, examined) = (counted.positives.unwrap(), counted.examined.unwrap());
    assert!((counted.value.unwrap() - f64::from(positives) / f64::from(examined)).abs() < 1e-12);
    let bounded = studies.iter().find(|study| study.lower.is_some()).unwrap();
    assert!(bounded.lower < bounded.value && bounded.value < bounded.upper);
    let mut judged = studies.iter().filter(|study| study.quality == "expert");
    assert!(judged.all(|study| study.examined.is_none()), "nobody was examined for a judgement");
}
