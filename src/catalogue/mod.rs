//! The catalogue: what the knowledge base and its rules hold, over the wire, for whoever wants to check a number or to know
//! what can be sent. Scores nothing.

mod entries;
mod page;
mod rulebook;
mod service;

use std::sync::Arc;

use tonic::server::NamedService;

use crate::grpc::pb::knowledge_service_server::KnowledgeServiceServer;
use crate::grpc::{Live, REQUEST_LIMIT};

pub use service::Knowledge;

/// Name of the service, as health and reflection know it.
pub const SERVICE_NAME: &str = <KnowledgeServiceServer<Knowledge> as NamedService>::NAME;

/// The service over the loaded models.
#[must_use]
pub fn service(live: Arc<Live>) -> KnowledgeServiceServer<Knowledge> {
    KnowledgeServiceServer::new(Knowledge::new(live)).max_decoding_message_size(REQUEST_LIMIT)
}
