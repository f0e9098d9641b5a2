//! What the ids of a knowledge base stand for.

use super::base::{KnowledgeBase, Measure};
use crate::domain::Unit;

/// What a caller may state something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The presenting complaint.
    Complaint,
    /// A finding, by index.
    Finding(usize),
    /// A risk factor, by index. Derived risk factors are not stated.
    RiskFactor(usize),
}

/// What an id that a caller may send stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// It takes present or absent.
    YesNo(Subject),
    /// It takes a quantity, which says of each whether it is present.
    Measured(Vec<Subject>),
}

impl KnowledgeBase {
    /// The id of a subject.
    #[must_use]
    pub fn id(&self, subject: Subject) -> &str {
        match subject {
            Subject::Complaint => &self.complaint.id,
            Subject::Finding(index) => &self.findings[index].id,
            Subject::RiskFactor(index) => &self.risk_factors[index].id,
        }
    }

    /// The id of a unit of evidence.
    #[must_use]
    pub fn unit_id(&self, unit: Unit) -> &str {
        match unit {
            Unit::Finding(index) => &self.findings[index].id,
            Unit::Cluster(index) => &self.clusters[index].id,
            Unit::RiskFactor(index) => &self.risk_factors[index].id,
        }
    }

    /// The measured form of a subject.
    #[must_use]
    pub fn measure(&self, subject: Subject) -> Option<&Measure> {
        match subject {
            Subject::Complaint => None,
            Subject::Finding(index) => self.findings[index].measure.as_ref(),
            Subject::RiskFactor(index) => self.risk_factors[index].measure.as_ref(),
        }
    }

    /// Whether a subject belongs to a side of the body.
    #[must_use]
    pub fn has_side(&self, subject: Subject) -> bool {
        match subject {
            Subject::Complaint => self.complaint.has_side,
            Subject::Finding(index) => self.findings[index].has_side,
            Subject::RiskFactor(_) => false,
        }
    }
}
