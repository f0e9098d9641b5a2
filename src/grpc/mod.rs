//! The wire: the generated code and the scoring service.
//!
//! `parse` and `render` are the one bridge between the contract and the inner layers, `status` makes every
//! `tonic::Status`. Only the [`catalogue`](crate::catalogue), which shows what the knowledge base holds, names the generated
//! code as well. Nothing here reads files, variables or configuration.

mod answer;
mod models;
mod next_steps;
mod parse;
pub(crate) mod render;
pub(crate) mod rulebook;
mod service;
pub(crate) mod status;

use std::sync::Arc;

use tonic::server::NamedService;
use tonic::service::Routes;

use crate::workers::Workers;

pub use answer::{Refused, answer_encoded};
pub use models::{Live, Models, UnknownSetting};
pub(crate) use service::STREAM_SCORES;

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

/// Name of the scoring service, as health and reflection know it.
pub const SERVICE_NAME: &str =
    <pb::scoring_service_server::ScoringServiceServer<service::Scoring> as NamedService>::NAME;

/// Largest request accepted, in bytes: 256 findings take less than a third of it.
pub(crate) const REQUEST_LIMIT: usize = 64 * 1024;

/// The scoring service.
#[must_use]
pub fn routes(models: Arc<Live>, workers: Workers) -> Routes {
    let scoring = service::Scoring::new(models, workers);
    Routes::new(
        pb::scoring_service_server::ScoringServiceServer::new(scoring)
            .max_decoding_message_size(REQUEST_LIMIT),
    )
}
