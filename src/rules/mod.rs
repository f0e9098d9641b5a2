//! Rules beside the network: red flags, named instruments, contradictions.
//!
//! They are data of the knowledge base (`rules/*.toml`) over a small three-valued language, and know nothing of the engine: no
//! probability can silence a red flag, and no instrument is multiplied into a posterior.

mod compile;
mod expression;
mod facts;
mod instrument;
mod raw;
mod red_flag;

pub use compile::load;
pub use expression::{Comparison, Expression};
pub use facts::{Atom, Condition, Facts};
pub use instrument::{
    Accuracy, Band, Instrument, InstrumentResult, Item, Level, Reading, ReadingResult, Status,
    UnknownInstrument,
};
pub use red_flag::{Question, RedFlag, RedFlagResult, Safety, Urgency};

use std::sync::Arc;

use crate::domain::Notice;
use crate::knowledge::{KnowledgeBase, Subject};
use facts::Scope;

/// The rules of one knowledge base.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The knowledge base whose ids they name.
    pub knowledge: Arc<KnowledgeBase>,
    /// Red flags, the most urgent first, else in the order of the file; a trigger names only flags before it.
    pub red_flags: Vec<RedFlag>,
    /// Questions that belong to every assessment.
    pub questions: Vec<Question>,
    /// Instruments, in the order of the file.
    pub instruments: Vec<Instrument>,
    /// Statements that cannot hold together.
    pub contradictions: Vec<Contradiction>,
    /// What certain facts call for saying.
    pub remarks: Vec<Remark>,
    /// Findings that alone tell apart what others cannot.
    pub separators: Vec<Separator>,
}

/// Findings that alone tell apart what certain facts leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separator {
    /// When they are called for.
    pub when: Condition,
    /// Indices of the findings.
    pub ask: Vec<usize>,
    /// What they tell apart.
    pub reason: String,
    /// Index of the source, where it does not follow from anatomy.
    pub source: Option<usize>,
}

/// A notice that certain facts call for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// When to say it.
    pub when: Condition,
    /// What to say.
    pub notice: Notice,
}

/// Statements that cannot hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Holds when they are stated together.
    pub when: Condition,
    /// What is wrong and what to do about it, as one sentence.
    pub remedy: String,
}

/// A contradiction that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradicting<'r> {
    /// The rule.
    pub rule: &'r Contradiction,
    /// What was stated and cannot hold together, in the order of the rule.
    pub subjects: Vec<Subject>,
}

impl<'r> Contradicting<'r> {
    fn of(rule: &'r Contradiction) -> Self {
        let subjects = rule.when.atoms().into_iter().filter_map(Atom::subject);
        Self { rule, subjects: subjects.collect() }
    }
}

impl Rules {
    /// The notices that the facts call for, each about the findings that do.
    #[must_use]
    pub fn notices(&self, facts: &Facts) -> Vec<Notice> {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Either, &[], atom);
        let said = self.remarks.iter().filter(|remark| remark.when.value(&of) == Some(true));
        let notice = |remark: &Remark| {
            let subjects = remark.when.reasons(&of).into_iter().filter_map(Atom::subject);
            remark.notice.clone().about(subjects.map(|subject| self.knowledge.id(subject)))
        };
        let none = self.red_flags.is_empty().then(|| {
            Notice::new(
                "NO_RED_FLAG_RULES",
                "This version of the knowledge base has no red flags: none was looked for.",
            )
        });
        none.into_iter().chain(said.map(notice)).collect()
    }

    /// The separators that the facts call for, in the order of the file.
    pub fn separators(&self, facts: &Facts) -> impl Iterator<Item = &Separator> {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Assessed, &[], atom);
        self.separators.iter().filter(move |rule| rule.when.value(&of) == Some(true))
    }

    /// The contradictions among the facts, in the order of the file.
    #[must_use]
    pub fn contradictions(&self, facts: &Facts) -> Vec<Contradicting<'_>> {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Assessed, &[], atom);
        let found = self.contradictions.iter().filter(|rule| rule.when.value(&of) == Some(true));
        found.map(Contradicting::of).collect()
    }
}
