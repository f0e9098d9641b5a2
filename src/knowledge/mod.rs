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

pub use base::{
    Association, Cluster, Code, Condition, Correlation, Effect, Effort, Finding, Form,
    KnowledgeBase, Leak, Link, Measure, ModelCard, Parameter, PrevalenceOf, RiskFactor, Setting,
    SettingPrevalence, Source, Study, Term, Threshold, Trigger,
};
pub use check::{Fault, Faults};
pub use compile::load;
pub use embedded::{File, embedded, read_folder};
