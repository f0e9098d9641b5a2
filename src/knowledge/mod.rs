//! Evidence as data: the knowledge base, its files and the rule that turns studies into parameters.
//!
//! A [`KnowledgeBase`] is read once, checked whole and never changes; its digest is its identity. It knows numbers and
//! words, and does no inference.

mod base;
mod check;
mod compile;
mod embedded;
mod pooling;
mod raw;
mod study;
mod terms;

pub use base::{
    Association, Attribute, Cluster, Code, Condition, Correlation, Effect, Effort, Finding,
    KnowledgeBase, Leak, Link, Measure, ModelCard, PrevalenceOf, RiskFactor, Setting,
    SettingPrevalence, Threshold, Trigger,
};
pub(crate) use check::Report;
pub use check::{Fault, Faults};
pub use compile::load;
pub(crate) use compile::{compile, is_plain_id};
pub use embedded::{File, embedded};
pub(crate) use raw::{Checked, Located, entries, tables};
pub use study::{LeftOut, Parameter, Source, Study};
pub use terms::{Subject, Term};
