//! The integration tests: one binary over the real server, engine and knowledge base.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod laws;
mod monte_carlo;
mod network;
mod oracle;
