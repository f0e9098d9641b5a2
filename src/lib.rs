//! heel-origin: where does heel pain come from?
//!
//! Weighs whether the spine, the pelvis, a peripheral nerve or the heel itself contributes to an adult's heel pain. README.md
//! says what the answers mean, ARCHITECTURE.md how they are computed. Read the modules in this order: [`domain`] the
//! vocabulary, [`knowledge`] the evidence, [`rules`] red flags and instruments, [`engine`] the inference, [`advice`] what the
//! numbers call for, [`intake`] the one validator, [`grpc`] the wire; the others are the shell around them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use heel_origin::intake::{Draft, DraftFinding, Value};
//! use heel_origin::{engine, intake, knowledge, rules};
//!
//! let rules = rules::load(&knowledge::embedded())?;
//! let model = engine::Model::new(Arc::clone(&rules.knowledge))?;
//!
//! let slump = DraftFinding {
//!     id: "slump_test".into(),
//!     value: Some(Value::YesNo(true)),
//!     side: intake::Choice::Unset,
//! };
//! let draft = Draft { has_assessment: true, findings: vec![slump], ..Draft::default() };
//! let accepted = intake::case(&draft, &rules, 0).expect("a sound draft");
//! let assessment = engine::assess(&model, &accepted.case);
//!
//! let spinal = assessment.origins.iter().find(|score| score.origin.id() == "spinal").unwrap();
//! assert!(spinal.likelihood > spinal.pretest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod access;
pub mod advice;
pub mod audit;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod export;
pub mod grpc;
pub mod intake;
pub mod knowledge;
pub mod layers;
pub mod operations;
pub mod rules;
pub mod server;
pub mod startup;
pub mod telemetry;
pub mod transport;
pub mod validation;
pub mod workers;
