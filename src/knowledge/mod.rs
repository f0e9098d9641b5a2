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

pub use base::{
    Association, Attribute, Cluster, Code, Condition, Correlation, Effect, Effort, Finding, Form,
    KnowledgeBase, Leak, Link, Measure, ModelCard, PrevalenceOf, RiskFactor, Setting,
    SettingPrevalence, Term, Threshold, Trigger,
};
pub use check::{Fault, Faults};
pub use compile::load;
pub use embedded::{File, embedded, read_folder};
pub use study::{LeftOut, Parameter, Source, Study};
