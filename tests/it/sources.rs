//! Publications, codes and left-out figures, over the wire.

use heel_origin::grpc::pb::{
    FindingDefinition, GetConditionRequest, GetFindingRequest, GetModelCardRequest, LeftOutFigure,
    ListSourcesRequest, Source,
};
use heel_origin::{knowledge, rules};

use crate::support::{MODEL, TestServer, violations};

async fn finding(server: &TestServer, id: &str) -> FindingDefinition {
    let request = GetFindingRequest { id: id.into(), model_version: String::new() };
    server.knowledge().await.get_finding(request).await.unwrap().into_inner().finding.unwrap()
}

/// Sources of all pages, asked for a few at a time.
async fn all_sources(server: &TestServer, filter: ListSourcesRequest) -> Vec<Source> {
    let mut client = server.knowledge().await;
    let mut sources = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListSourcesRequest { page_size: 50, page_token, ..filter.clone() };
        let page = client.list_sources(request).await.unwrap().into_inner();
        sources.extend(page.sources);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return sources;
        }
    }
}

#[tokio::test]
async fn every_source_is_listed_once_and_every_published_figure_counted() {
    let server = TestServer::start().await;
    let all = all_sources(&server, ListSourcesRequest::default()).await;
    let ids: Vec<&str> = all.iter().map(|source| source.id.as_str()).collect();
    let known = MODEL.knowledge().sources.iter().map(|source| source.id.as_str());
    assert!(ids.is_sorted() && known.eq(ids.iter().copied()));
    let card = server.knowledge().await.get_model_card(GetModelCardRequest::default()).await;
    let card = card.unwrap().into_inner().card.unwrap();
    assert_eq!(
        all.iter().map(|source| source.study_count).sum::<u32>(),
        card.published_figure_count
    );
    assert!(0 < card.judged_figure_count);
}

#[tokio::test]
async fn sources_are_found_by_condition_and_text() {
    let server = TestServer::start().await;
    let condition = ListSourcesRequest { condition: "sciatica".into(), ..Default::default() };
    let ids: Vec<String> =
        all_sources(&server, condition).await.into_iter().map(|source| source.id).collect();
    let slump = finding(&server, "slump_test").await;
    let link = slump.links.iter().find(|link| link.condition == "sciatica").unwrap();
    let published = link.studies.iter().filter(|study| !study.source.is_empty());
    assert!(published.clone().count() > 0);
    for study in published {
        assert!(ids.contains(&study.source), "{}", study.source);
    }
    assert!(ids.len() < MODEL.knowledge().sources.len());
    let query = ListSourcesRequest { query: "LASLETT".into(), ..Default::default() };
    let found = all_sources(&server, query).await;
    assert!(!found.is_empty() && found.iter().all(|source| source.authors.contains("Laslett")));
    let faulty = ListSourcesRequest { condition: "x".into(), page_size: -1, ..Default::default() };
    let status = server.knowledge().await.list_sources(faulty).await.unwrap_err();
    let named: Vec<String> = violations(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(named, ["condition", "page_size"]);
}

/// Three left-out figures: one of a source, one of a condition alone, one of neither.
const LEFT_OUT: &str = r#"
[[left_out]]
subject = "made up"
figure = "1"
source = "laslett_2005"
condition = "polyneuropathy"
reason = "of a source"

[[left_out]]
subject = "made up"
figure = "2"
condition = "polyneuropathy"
reason = "of a condition"

[[left_out]]
subject = "made up"
figure = "3"
reason = "of neither"
"#;

#[tokio::test]
async fn codes_and_left_out_figures_are_served_where_a_reader_looks() {
    let mut files = knowledge::embedded();
    for file in &mut files {
        let (id, codes) = match file.name.as_str() {
            "findings/spine.toml" => ("slump_test", r#"codes = { snomed = "202882003" }"#),
            "conditions.toml" => ("spondylolisthesis", r#"codes = { snomed = "23056005" }"#),
            "risk_factors.toml" => ("multisite_pain", r#"codes = { loinc = "39156-5" }"#),
            _ => ("", ""),
        };
        file.text =
            file.text.replacen(&format!("id = \"{id}\""), &format!("id = \"{id}\"\n{codes}"), 1);
        if file.name == "left_out.toml" {
            file.text.push_str(LEFT_OUT);
        }
    }
    let server = TestServer::with_rules(rules::load(&files).unwrap()).await;
    for (id, system) in
        [("slump_test", "http://snomed.info/sct"), ("multisite_pain", "http://loinc.org")]
    {
        assert_eq!(finding(&server, id).await.codes.first().unwrap().system, system);
    }
    let made_up = |figures: Vec<LeftOutFigure>| -> Vec<String> {
        let made_up = figures.into_iter().filter(|figure| figure.subject == "made up");
        made_up.map(|figure| figure.reason).collect()
    };
    let mut client = server.knowledge().await;
    let filter = ListSourcesRequest { condition: "polyneuropathy".into(), ..Default::default() };
    let sources = all_sources(&server, filter).await;
    let laslett = sources.into_iter().find(|source| source.id == "laslett_2005").unwrap();
    assert_eq!(made_up(laslett.left_out), ["of a source"]);
    let request = GetConditionRequest { id: "polyneuropathy".into(), ..Default::default() };
    let condition = client.get_condition(request).await.unwrap().into_inner().condition.unwrap();
    assert_eq!(made_up(condition.left_out), ["of a condition"]);
    let request = GetConditionRequest { id: "spondylolisthesis".into(), ..Default::default() };
    let listhesis = client.get_condition(request).await.unwrap().into_inner().condition.unwrap();
    let codes: Vec<&str> = listhesis.codes.iter().map(|coding| coding.code.as_str()).collect();
    assert_eq!(codes, ["M43.1", "M43.16", "23056005"]);
    let card = client.get_model_card(GetModelCardRequest::default()).await.unwrap().into_inner();
    assert_eq!(made_up(card.card.unwrap().left_out), ["of neither"]);
}
