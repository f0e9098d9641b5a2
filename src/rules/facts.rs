//! What was stated of a patient, on whichever side.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use super::expression::{Comparison, Expression};
use crate::domain::{AgeYears, Sex, Side};
use crate::knowledge::{KnowledgeBase, Subject};

/// What a rule may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Atom {
    /// A finding or risk factor is present; with a side, on that side.
    Present(Subject, Option<Side>),
    /// The age compares so with a number of years.
    Age(Comparison, u32),
    /// The patient is of this sex.
    Sex(Sex),
    /// The red flag of this index has fired.
    Fired(usize),
}

impl Atom {
    /// The finding or risk factor that it asks for.
    #[must_use]
    pub const fn subject(&self) -> Option<Subject> {
        match self {
            Self::Present(subject, _) => Some(*subject),
            Self::Age(..) | Self::Sex(_) | Self::Fired(_) => None,
        }
    }
}

/// A rule's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As written.
    pub text: String,
    pub(super) expression: Expression<Atom>,
}

impl Deref for Condition {
    type Target = Expression<Atom>;

    fn deref(&self) -> &Self::Target {
        &self.expression
    }
}

/// On which side a finding counts that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// As the likelihoods see it: of the assessed side.
    Assessed,
    /// On either side: danger does not keep to the assessed heel.
    Either,
}

/// Everything that was stated.
#[derive(Clone, Default, PartialEq)]
pub struct Facts {
    /// Age.
    pub age: Option<AgeYears>,
    /// Sex.
    pub sex: Option<Sex>,
    stated: BTreeMap<Subject, Stated>,
}

/// What was stated of one subject.
#[derive(Clone, Copy, Default, PartialEq)]
struct Stated {
    assessed: Option<bool>,
    left: Option<bool>,
    right: Option<bool>,
}

// Facts are a patient: their values must not reach a log by way of `{:?}`.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts").field("stated", &self.stated.len()).finish_non_exhaustive()
    }
}

impl Facts {
    /// Records a statement. `is_used` says that it is not of the other side than the assessed one.
    pub fn state(&mut self, subject: Subject, side: Option<Side>, is_used: bool, present: bool) {
        let stated = self.stated.entry(subject).or_default();
        if is_used {
            stated.assessed = Some(present);
        }
        if matches!(side, Some(Side::Left | Side::Both)) {
            stated.left = Some(present);
        }
        if matches!(side, Some(Side::Right | Side::Both)) {
            stated.right = Some(present);
        }
    }

    /// Whether an atom holds; `None` when it was not asked. `fired` says which red flags have.
    pub(super) fn value(
        &self,
        knowledge: &KnowledgeBase,
        scope: Scope,
        fired: &[bool],
        atom: &Atom,
    ) -> Option<bool> {
        match *atom {
            Atom::Present(subject, side) => {
                let own = self.stated.get(&subject).and_then(|stated| stated.on(side, scope));
                own.or_else(|| self.counted(knowledge, subject, scope))
            }
            Atom::Age(comparison, limit) => self.age.map(|age| comparison.holds(age.get(), limit)),
            Atom::Sex(sex) => self.sex.map(|own| own == sex),
            Atom::Fired(flag) => Some(fired.get(flag).is_some_and(|fired| *fired)),
        }
    }

    /// A composite that was not stated follows from its parts as far as they decide its first threshold.
    fn counted(&self, knowledge: &KnowledgeBase, subject: Subject, scope: Scope) -> Option<bool> {
        let Subject::Finding(index) = subject else { return None };
        let finding = &knowledge.findings[index];
        let threshold = finding.leaks.first().and_then(|leak| leak.at_least)?;
        let item = |part: &Vec<usize>| {
            let asked =
                part.iter().map(|&f| Expression::Is(Atom::Present(Subject::Finding(f), None)));
            Expression::All(asked.collect())
        };
        let parts = finding.parts.iter().map(item).collect();
        Expression::AtLeast(threshold as usize, parts)
            .value(&|atom| self.value(knowledge, scope, &[], atom))
    }
}

impl Stated {
    fn on(self, side: Option<Side>, scope: Scope) -> Option<bool> {
        match (side, scope) {
            (Some(Side::Left), _) => self.left,
            // A result of no side is that of one side, and the other was not told.
            (Some(Side::Right), _) => self.right.or(self.left.map_or(self.assessed, |_| None)),
            (Some(Side::Both) | None, Scope::Assessed) => self.assessed,
            (Some(Side::Both) | None, Scope::Either) => {
                let any = [self.assessed, self.left, self.right].contains(&Some(true));
                any.then_some(true).or(self.assessed)
            }
        }
    }
}
