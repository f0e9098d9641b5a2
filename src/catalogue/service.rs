//! `KnowledgeService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::knowledge::{KnowledgeBase, Source};
use crate::rules::Rules;

use super::entries::{self, Entry, KINDS};
use super::rulebook::Uses;
use super::{page, rulebook};
use crate::grpc::status::Fault;
use crate::grpc::{Live, pb, render, status};

/// The knowledge service over the loaded models.
#[derive(Debug)]
pub struct Knowledge {
    live: Arc<Live>,
}

impl Knowledge {
    pub(super) const fn new(live: Arc<Live>) -> Self {
        Self { live }
    }

    fn rules(&self, model_version: &str) -> Result<Arc<Rules>, Status> {
        let models = self.live.now();
        let loaded = models.select(model_version);
        Ok(Arc::clone(&loaded.ok_or_else(|| status::unknown_model(&models))?.rules))
    }

    fn knowledge(&self, model_version: &str) -> Result<Arc<KnowledgeBase>, Status> {
        Ok(Arc::clone(&self.rules(model_version)?.knowledge))
    }
}

#[tonic::async_trait]
impl pb::knowledge_service_server::KnowledgeService for Knowledge {
    async fn list_models(
        &self,
        _request: Request<pb::ListModelsRequest>,
    ) -> Result<Response<pb::ListModelsResponse>, Status> {
        let models = self.live.now();
        let models = models.all().enumerate().map(|(position, loaded)| pb::LoadedModel {
            model: Some(render::model_version(loaded.model.knowledge())),
            is_default: position == 0,
        });
        Ok(Response::new(pb::ListModelsResponse { models: models.collect() }))
    }

    async fn get_model_card(
        &self,
        request: Request<pb::GetModelCardRequest>,
    ) -> Result<Response<pb::GetModelCardResponse>, Status> {
        let knowledge = &*self.knowledge(&request.get_ref().model_version)?;
        let card = Some(entries::card(knowledge));
        Ok(Response::new(pb::GetModelCardResponse { card }))
    }

    async fn list_findings(
        &self,
        request: Request<pb::ListFindingsRequest>,
    ) -> Result<Response<pb::ListFindingsResponse>, Status> {
        let request = request.get_ref();
        let rules = &*self.rules(&request.model_version)?;
        let (entries, next_page_token) = matching_page(&rules.knowledge, request)?;
        let uses = Uses::of(rules);
        let definition = |entry: Entry<'_>| uses.told(entry.definition(&rules.knowledge));
        let findings = entries.into_iter().map(definition).collect();
        Ok(Response::new(pb::ListFindingsResponse { findings, next_page_token }))
    }

    async fn get_finding(
        &self,
        request: Request<pb::GetFindingRequest>,
    ) -> Result<Response<pb::GetFindingResponse>, Status> {
        let request = request.get_ref();
        let rules = &*self.rules(&request.model_version)?;
        let knowledge = &rules.knowledge;
        required(&request.id)?;
        let entry = Entry::find(knowledge, &request.id).ok_or_else(status::unknown_finding)?;
        let finding = Some(Uses::of(rules).told(entry.full_definition(knowledge)));
        Ok(Response::new(pb::GetFindingResponse { finding }))
    }

    async fn list_conditions(
        &self,
        request: Request<pb::ListConditionsRequest>,
    ) -> Result<Response<pb::ListConditionsResponse>, Status> {
        let request = request.get_ref();
        let knowledge = &*self.knowledge(&request.model_version)?;
        let indices = (0..knowledge.conditions.len()).collect();
        let asked = ["conditions", &knowledge.digest];
        let (page, next_page_token) =
            page::cut(indices, &asked, request.page_size, &request.page_token, Vec::new())?;
        let conditions = page.into_iter().map(|index| entries::condition(knowledge, index));
        let conditions = conditions.collect();
        Ok(Response::new(pb::ListConditionsResponse { conditions, next_page_token }))
    }

    async fn get_condition(
        &self,
        request: Request<pb::GetConditionRequest>,
    ) -> Result<Response<pb::GetConditionResponse>, Status> {
        let request = request.get_ref();
        let knowledge = &*self.knowledge(&request.model_version)?;
        required(&request.id)?;
        let index =
            condition_index(knowledge, &request.id).ok_or_else(status::unknown_condition)?;
        let condition = Some(entries::condition(knowledge, index));
        Ok(Response::new(pb::GetConditionResponse { condition }))
    }

    async fn list_sources(
        &self,
        request: Request<pb::ListSourcesRequest>,
    ) -> Result<Response<pb::ListSourcesResponse>, Status> {
        let request = request.get_ref();
        let knowledge = &*self.knowledge(&request.model_version)?;
        let (page, next_page_token) = source_page(knowledge, request)?;
        let sources = page.into_iter().map(|index| entries::source(knowledge, index)).collect();
        Ok(Response::new(pb::ListSourcesResponse { sources, next_page_token }))
    }

    async fn list_red_flags(
        &self,
        request: Request<pb::ListRedFlagsRequest>,
    ) -> Result<Response<pb::ListRedFlagsResponse>, Status> {
        let request = request.get_ref();
        let rules = &*self.rules(&request.model_version)?;
        let asked = ["red_flags", &rules.knowledge.digest];
        let flags = rules.red_flags.iter().collect();
        let (page, next_page_token) =
            page::cut(flags, &asked, request.page_size, &request.page_token, Vec::new())?;
        let red_flags = page.into_iter().map(|flag| rulebook::red_flag_definition(rules, flag));
        let questions = rules.questions.iter().map(|own| rulebook::whole_question(rules, own));
        let implications = rules.implications.iter().map(|own| rulebook::implication(rules, own));
        Ok(Response::new(pb::ListRedFlagsResponse {
            red_flags: red_flags.collect(),
            next_page_token,
            questions: questions.collect(),
            implications: implications.collect(),
        }))
    }

    async fn list_instruments(
        &self,
        request: Request<pb::ListInstrumentsRequest>,
    ) -> Result<Response<pb::ListInstrumentsResponse>, Status> {
        let request = request.get_ref();
        let rules = &*self.rules(&request.model_version)?;
        let asked = ["instruments", &rules.knowledge.digest];
        let instruments = rules.instruments.iter().collect();
        let (page, next_page_token) =
            page::cut(instruments, &asked, request.page_size, &request.page_token, Vec::new())?;
        let instruments = page.into_iter().map(|own| rulebook::instrument(rules, own)).collect();
        Ok(Response::new(pb::ListInstrumentsResponse { instruments, next_page_token }))
    }
}

/// The page of a filtered list, or everything that is wrong with the filter and the page.
fn matching_page<'a>(
    knowledge: &'a KnowledgeBase,
    request: &pb::ListFindingsRequest,
) -> Result<(Vec<Entry<'a>>, String), Status> {
    let mut faults = Vec::new();
    if !request.kind.is_empty() && !KINDS.contains(&request.kind.as_str()) {
        let remedy = format!("must be empty or one of {}", KINDS.join(", "));
        faults.push(Fault::new("kind", "UNKNOWN_KIND", &remedy));
    }
    let condition = asked_condition(knowledge, &request.condition, &mut faults);
    let query = request.query.to_lowercase();
    let entries = Entry::all(knowledge).into_iter().filter(|entry| {
        (request.kind.is_empty() || entry.kind() == request.kind)
            && condition.is_none_or(|condition| entry.concerns(condition))
            && entry.mentions(&query)
    });
    let asked = ["findings", &knowledge.digest, &request.kind, &request.condition, &query];
    page::cut(entries.collect(), &asked, request.page_size, &request.page_token, faults)
}

/// The same of the sources, by their indices.
fn source_page(
    knowledge: &KnowledgeBase,
    request: &pb::ListSourcesRequest,
) -> Result<(Vec<usize>, String), Status> {
    let mut faults = Vec::new();
    let condition = asked_condition(knowledge, &request.condition, &mut faults);
    let query = request.query.to_lowercase();
    let is_asked_for = |source: &Source| {
        let words = [&source.id, &source.authors, &source.title];
        condition.is_none_or(|condition| source.conditions.contains(&condition))
            && words.into_iter().any(|word| word.to_lowercase().contains(&query))
    };
    let sources = knowledge.sources.iter().enumerate().filter(|(_, source)| is_asked_for(source));
    let indices = sources.map(|(index, _)| index).collect();
    let asked = ["sources", &knowledge.digest, &request.condition, &query];
    page::cut(indices, &asked, request.page_size, &request.page_token, faults)
}

fn asked_condition(knowledge: &KnowledgeBase, id: &str, faults: &mut Vec<Fault>) -> Option<usize> {
    let condition = condition_index(knowledge, id);
    if condition.is_none() && !id.is_empty() {
        let remedy = "no condition has this id; ListConditions names all";
        faults.push(Fault::new("condition", "UNKNOWN_CONDITION", remedy));
    }
    condition
}

fn condition_index(knowledge: &KnowledgeBase, id: &str) -> Option<usize> {
    knowledge.conditions.iter().position(|condition| condition.id == id)
}

/// An id must be named.
fn required(id: &str) -> Result<(), Status> {
    let fault = || Fault::new("id", "MISSING", "name an id; the lists of this service hold all");
    if id.is_empty() { Err(status::invalid(&[fault()])) } else { Ok(()) }
}
