//! The wire: the only place that names the generated code.
//!
//! `parse` and `render` are the one bridge between the contract and the inner layers, `status` makes every
//! `tonic::Status`. Nothing here reads files, variables or configuration.

mod answer;
mod catalogue;
mod knowledge_service;
mod layers;
mod models;
mod page;
mod parse;
mod render;
mod service;
mod status;
mod workers;

use std::sync::Arc;

use tonic::server::NamedService;
use tonic::service::Routes;

pub use answer::{Refused, answer_encoded};
pub use layers::{CatchPanic, Deadline, Trace, Traced, WithDeadline, catch_panic};
pub use models::{Models, UnknownSetting};
pub use workers::{WorkerError, Workers};

/// The generated messages, clients and servers of package `heelorigin.v1`.
#[doc(hidden)]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::str_to_string,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "generated"
)]
pub mod pb {
    tonic::include_proto!("heelorigin.v1");
}

/// The contract with its comments and everything it imports, as an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Names of the services, as health and reflection know them.
pub const SERVICE_NAMES: [&str; 2] = [
    <pb::scoring_service_server::ScoringServiceServer<service::Scoring> as NamedService>::NAME,
    <pb::knowledge_service_server::KnowledgeServiceServer<knowledge_service::Knowledge> as NamedService>::NAME,
];

/// Largest request accepted, in bytes: 256 findings take less than a third of it.
const REQUEST_LIMIT: usize = 64 * 1024;

/// The services of the contract.
#[must_use]
pub fn routes(models: Arc<Models>, workers: Workers) -> Routes {
    let scoring = service::Scoring::new(Arc::clone(&models), workers);
    let knowledge = knowledge_service::Knowledge::new(models);
    Routes::new(
        pb::scoring_service_server::ScoringServiceServer::new(scoring)
            .max_decoding_message_size(REQUEST_LIMIT),
    )
    .add_service(
        pb::knowledge_service_server::KnowledgeServiceServer::new(knowledge)
            .max_decoding_message_size(REQUEST_LIMIT),
    )
}
