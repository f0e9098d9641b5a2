//! What to do next in the words of the contract: suggestions, reversals, conflict.

use crate::advice::{Conflict, Reversal, StopReason, Suggestion, Suggestions};
use crate::domain::{Origin, Unit};
use crate::engine::Outlook;
use crate::knowledge::KnowledgeBase;
use crate::rules::Rules;

use super::{pb, render};

/// The findings worth assessing.
pub(super) fn suggestions(rules: &Rules, suggestions: &Suggestions) -> Vec<pb::Suggestion> {
    let suggestion = |own: &Suggestion| {
        let finding = &rules.knowledge.findings[own.finding];
        pb::Suggestion {
            finding: finding.id.clone(),
            label: finding.label.clone(),
            effort: finding.effort.id().to_owned(),
            elicit: finding.elicit.clone(),
            positive: finding.positive.clone(),
            bits: Some(own.bits),
            probability: Some(own.chance),
            changes_lead: Some(own.changes_lead),
            if_present: Some(outlook(&own.if_present)),
            if_absent: Some(outlook(&own.if_absent)),
            separates: own.separates.clone().unwrap_or_default(),
        }
    };
    suggestions.suggestions.iter().map(suggestion).collect()
}

/// Whether to stop.
pub(super) fn stop(suggestions: &Suggestions) -> pb::Stop {
    let (stop, reason) = match suggestions.stop.reason {
        StopReason::GoOn => (false, pb::StopReason::GoOn),
        StopReason::SafetyUnanswered => (false, pb::StopReason::SafetyUnanswered),
        StopReason::ActFirst => (false, pb::StopReason::ActFirst),
        StopReason::Certain => (true, pb::StopReason::Certain),
        StopReason::Settled => (true, pb::StopReason::Settled),
        StopReason::NothingLeft => (true, pb::StopReason::NothingLeft),
    };
    pb::Stop {
        stop: Some(stop),
        reason: reason.into(),
        changes_lead: Some(suggestions.stop.changes_lead),
    }
}

/// A finding on which the answer hangs.
pub(super) fn reversal(rules: &Rules, reversal: &Reversal) -> pb::Reversal {
    pb::Reversal {
        finding: rules.knowledge.findings[reversal.finding].id.clone(),
        present: Some(reversal.present),
        without: Some(outlook(&reversal.without)),
        reversed: Some(outlook(&reversal.reversed)),
    }
}

/// Whether the findings belong together.
pub(super) fn conflict(knowledge: &KnowledgeBase, conflict: &Conflict) -> pb::Conflict {
    let unit = |(unit, nats): &(Unit, f64)| pb::ConflictUnit {
        unit: knowledge.unit_id(*unit).to_owned(),
        nats: Some(*nats),
    };
    pb::Conflict { nats: Some(conflict.nats), units: conflict.units.iter().map(unit).collect() }
}

fn outlook(outlook: &Outlook) -> pb::Outlook {
    let origins = Origin::ALL.into_iter().zip(outlook.likelihood);
    let likelihood = |(of, likelihood)| pb::OriginLikelihood {
        origin: render::origin(of).into(),
        likelihood: Some(likelihood),
    };
    pb::Outlook {
        lead: render::origin(outlook.lead()).into(),
        origins: origins.map(likelihood).collect(),
    }
}
