//! heel-origin: where does heel pain come from?

pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod export;
pub mod grpc;
pub mod intake;
pub mod knowledge;
pub mod server;
pub mod telemetry;
