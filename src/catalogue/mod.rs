//! The catalogue: what the knowledge base and its rules hold, over the wire, for whoever wants to check a number or to know
//! what can be sent. Scores nothing.

mod entries;
mod page;
mod rulebook;
mod service;

use std::sync::Arc;

use tonic::server::NamedService;

use crate::grpc::pb::knowledge_service_server::KnowledgeServiceServer;
use crate::grpc::{Models, REQUEST_LIMIT};

pub use service::Knowledge;

/// Name of the service, as health and reflection know it.
pub const SERVICE_NAME: &str = <KnowledgeServiceServer<Knowledge> as NamedService>::NAME;

/// The service over the loaded models.
#[must_use]
pub fn service(models: Arc<Models>) -> KnowledgeServiceServer<Knowledge> {
    KnowledgeServiceServer::new(Knowledge::new(models)).max_decoding_message_size(REQUEST_LIMIT)
}
