//! The integration tests: one binary over the real server, engine and knowledge base.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests print figures and count in small numbers"
)]

mod access;
mod admin;
mod advice;
mod architecture;
mod audit;
mod catalogue;
mod cli;
mod config;
mod crowd;
mod danger;
mod dependence;
mod documents;
mod facts;
mod folder;
mod health;
mod hostile;
mod identity;
mod instruments;
mod knowledge;
mod laws;
mod layers;
mod limits;
mod monte_carlo;
mod network;
mod oracle;
mod planted;
mod red_flags;
mod reflection;
mod reload;
mod replay;
mod report;
mod rules;
mod scoring;
mod seal;
mod shutdown;
mod sources;
mod streams;
mod support;
mod tls;
mod traces;
mod validation;
mod vignettes;
