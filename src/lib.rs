//! heel-origin: where does heel pain come from?
//!
//! Weighs whether the spine, the pelvis, a peripheral nerve or the heel itself contributes to an adult's heel pain. README.md
//! says what the answers mean, ARCHITECTURE.md how they are computed. Read the modules in this order: [`domain`] the
//! vocabulary, [`knowledge`] the evidence, [`engine`] the inference, [`intake`] the one validator, [`grpc`] the wire; the
//! others are the shell around them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use heel_origin::intake::{Draft, DraftFinding, Value};
//! use heel_origin::{engine, intake, knowledge};
//!
//! let knowledge = knowledge::load(&knowledge::embedded())?;
//! let model = engine::Model::new(Arc::new(knowledge))?;
//!
//! let slump = DraftFinding {
//!     id: "slump_test".into(),
//!     value: Some(Value::YesNo(true)),
//!     side: intake::Choice::Unset,
//! };
//! let draft = Draft { has_assessment: true, findings: vec![slump], ..Draft::default() };
//! let accepted = intake::case(&draft, model.knowledge(), 0).expect("a sound draft");
//! let assessment = engine::assess(&model, &accepted.case);
//!
//! let spinal = assessment.origins.iter().find(|score| score.origin.id() == "spinal").unwrap();
//! assert!(spinal.likelihood > spinal.pretest);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub mod validation;
