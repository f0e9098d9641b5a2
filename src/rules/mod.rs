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
    /// What implies a finding where danger is looked for, in the order of the files.
    pub implications: Vec<Implication>,
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

/// Something from which a finding follows wherever danger is looked for: a caller who sends the closer finding must not miss the
/// flag that names the wider one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Implication {
    /// When it follows.
    pub when: Condition,
    /// What follows.
    pub means: Subject,
    /// Why.
    pub note: String,
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
    fn of(rule: &'r Contradiction, of: &impl Fn(&Atom) -> Option<bool>) -> Self {
        let whole = &rule.when.expression;
        let together = if let Expression::Unless(together, _) = whole { together } else { whole };
        let stated = together.atoms().into_iter().filter(|atom| of(atom).is_some());
        Self { rule, subjects: stated.filter_map(Atom::subject).collect() }
    }
}

impl Rules {
    /// The notices that the facts call for, each about the findings that do.
    #[must_use]
    pub fn notices(&self, facts: &Facts, safety: &Safety) -> Vec<Notice> {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Either, &[], atom);
        let about = |notice: Notice, atoms: &[&Atom]| {
            let subjects = atoms.iter().filter_map(|atom| atom.subject());
            notice.about(subjects.map(|subject| self.knowledge.id(subject)))
        };
        let said = self.remarks.iter().filter(|remark| remark.when.value(&of) == Some(true));
        let said = said.map(|remark| about(remark.notice.clone(), &remark.when.reasons(&of)));
        let unexplained = Notice::new(
            "SAFETY_ANSWER_UNEXPLAINED",
            "These signs of danger were sent and fire no red flag by themselves: look into them.",
        );
        let atoms: Vec<&Atom> = safety.unexplained.iter().collect();
        let unexplained = (!atoms.is_empty()).then(|| about(unexplained, &atoms));
        let none = self.red_flags.is_empty().then(|| {
            Notice::new(
                "NO_RED_FLAG_RULES",
                "This version of the knowledge base has no red flags: none was looked for.",
            )
        });
        none.into_iter().chain(unexplained).chain(said).collect()
    }

    /// Whether a finding is known through what implies it: it follows from the facts, or its presence would imply what they deny.
    #[must_use]
    pub fn is_implied(&self, finding: Subject, facts: &Facts) -> bool {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Assessed, &[], atom);
        let own = Atom::Present(finding, None);
        let if_present = |atom: &Atom| if *atom == own { Some(true) } else { of(atom) };
        self.implications.iter().any(|rule| {
            let follows = rule.means == finding && rule.when.value(&of) == Some(true);
            let is_denied = of(&Atom::Present(rule.means, None)) == Some(false);
            follows || (is_denied && rule.when.value(&if_present) == Some(true))
        })
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
        found.map(|rule| Contradicting::of(rule, &of)).collect()
    }
}
