//! From the inner layers to the contract: an assessment becomes a response, a notice a sentence.

use crate::domain::{
    Assessment, Basis, ConditionScore, Contribution, Interval, Notice, Origin, OriginScore, Unit,
};
use crate::engine::Model;
use crate::knowledge::KnowledgeBase;

use super::pb;

/// The response to a request. `notices` are intake's and come before the engine's.
pub(super) fn response(
    model: &Model,
    assessment_id: String,
    notices: &[Notice],
    assessment: &Assessment,
) -> pb::ScoreFindingsResponse {
    let knowledge = model.knowledge();
    let condition = |score| condition_score(knowledge, score);
    let contribution = |part| contribution(knowledge, part);
    let all_notices = notices.iter().chain(&assessment.notices);
    let basis = match assessment.basis {
        Basis::HeelPain => pb::Basis::HeelPain,
        Basis::PresenceOnly => pb::Basis::PresenceOnly,
    };
    pb::ScoreFindingsResponse {
        assessment_id,
        model: Some(model_version(knowledge)),
        setting: knowledge.settings[assessment.setting].id.clone(),
        basis: basis.into(),
        origins: assessment.origins.iter().map(origin_score).collect(),
        unexplained: assessment.unexplained,
        several_origins: Some(assessment.several_origins),
        conditions: assessment.conditions.iter().map(condition).collect(),
        contributions: assessment.contributions.iter().map(contribution).collect(),
        notices: all_notices.map(|notice| notice_message(knowledge, notice)).collect(),
    }
}

/// Identity of a model.
pub(super) fn model_version(knowledge: &KnowledgeBase) -> pb::ModelVersion {
    pb::ModelVersion {
        version: knowledge.card.version.clone(),
        digest: knowledge.digest.clone(),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// An origin.
pub(super) fn origin(origin: Origin) -> pb::Origin {
    match origin {
        Origin::Spinal => pb::Origin::Spinal,
        Origin::Pelvic => pb::Origin::Pelvic,
        Origin::PeripheralNerve => pb::Origin::PeripheralNerve,
        Origin::Local => pb::Origin::Local,
    }
}

fn interval(interval: Interval) -> pb::Interval {
    pb::Interval { lower: interval.lower, upper: interval.upper, level: interval.level.get() }
}

fn origin_score(score: &OriginScore) -> pb::OriginScore {
    pb::OriginScore {
        origin: origin(score.origin).into(),
        likelihood: Some(score.likelihood),
        likelihood_interval: Some(interval(score.likelihood_interval)),
        weight: score.weight.map(|(weight, _)| weight),
        weight_interval: score.weight.map(|(_, bounds)| interval(bounds)),
        pretest: Some(score.pretest),
        single_origin_probability: Some(score.single_origin_probability),
    }
}

fn condition_score(knowledge: &KnowledgeBase, score: &ConditionScore) -> pb::ConditionScore {
    let condition = &knowledge.conditions[score.condition];
    pb::ConditionScore {
        condition: condition.id.clone(),
        origin: origin(condition.origin).into(),
        mechanism: condition.mechanism.id().to_owned(),
        present: Some(score.present),
        present_interval: Some(interval(score.present_interval)),
        likelihood: Some(score.likelihood),
        weight: score.weight,
        pretest: Some(score.pretest),
    }
}

fn contribution(knowledge: &KnowledgeBase, part: &Contribution) -> pb::Contribution {
    let finding_id = |index: &usize| knowledge.findings[*index].id.clone();
    let mut findings: Vec<String> = part.findings.iter().map(finding_id).collect();
    let (unit, kind) = match part.unit {
        Unit::Finding(index) => (finding_id(&index), pb::UnitKind::Finding),
        Unit::Cluster(index) => (knowledge.clusters[index].id.clone(), pb::UnitKind::Cluster),
        Unit::RiskFactor(index) => {
            let factor = &knowledge.risk_factors[index];
            // Age and sex are sent as such, never as a risk factor.
            if factor.derived.is_none() {
                findings.push(factor.id.clone());
            }
            (factor.id.clone(), pb::UnitKind::RiskFactor)
        }
    };
    let origins = Origin::ALL
        .into_iter()
        .zip(part.nats)
        .map(|(of, nats)| pb::OriginContribution { origin: origin(of).into(), nats: Some(nats) })
        .collect();
    pb::Contribution { unit, kind: kind.into(), findings, origins }
}

fn notice_message(knowledge: &KnowledgeBase, notice: &Notice) -> pb::Notice {
    let (code, message) = notice_words(notice);
    pb::Notice {
        code: code.to_owned(),
        message: message.to_owned(),
        subjects: notice_subjects(knowledge, notice),
    }
}

const fn notice_words(notice: &Notice) -> (&'static str, &'static str) {
    match notice {
        Notice::HeelPainAssumed => (
            "HEEL_PAIN_ASSUMED",
            "Nothing was sent about pain of the assessed heel, so it was taken as present.",
        ),
        Notice::HeelPainAbsent => (
            "HEEL_PAIN_ABSENT",
            "Heel pain was sent as absent, which is outside the purpose: likelihoods are of presence and there are no weights.",
        ),
        Notice::OtherSideNotUsed(_) => {
            ("OTHER_SIDE_NOT_USED", "These findings are of the other side and were not used.")
        }
        Notice::WithoutWeight(_) => (
            "FINDING_WITHOUT_WEIGHT",
            "These findings change no likelihood: they tell nothing in this model, or are too few or contradicting parts of a composite.",
        ),
        Notice::OutOfScopeAccepted => (
            "PATIENT_OUT_OF_SCOPE",
            "The patient is under 18 years and the model is for adults; the caller accepted an answer outside the scope.",
        ),
        Notice::NoInformativeFinding => (
            "NO_INFORMATIVE_FINDING",
            "Nothing that was sent beside heel pain changes a likelihood, so the answer is what is expected before any examination.",
        ),
        Notice::SettingChangesLead(_) => {
            ("SETTING_CHANGES_LEAD", "In these other settings another origin would lead.")
        }
        Notice::SystemicDisease(_) => (
            "SYSTEMIC_DISEASE",
            "The leading origin rests on these systemic or inflammatory diseases, which may need another clinic than the origin suggests.",
        ),
    }
}

fn notice_subjects(knowledge: &KnowledgeBase, notice: &Notice) -> Vec<String> {
    match notice {
        Notice::HeelPainAssumed | Notice::HeelPainAbsent => vec![knowledge.complaint.id.clone()],
        Notice::OtherSideNotUsed(findings) | Notice::WithoutWeight(findings) => {
            findings.iter().map(|index| knowledge.findings[*index].id.clone()).collect()
        }
        Notice::OutOfScopeAccepted | Notice::NoInformativeFinding => Vec::new(),
        Notice::SettingChangesLead(settings) => {
            settings.iter().map(|index| knowledge.settings[*index].id.clone()).collect()
        }
        Notice::SystemicDisease(conditions) => {
            conditions.iter().map(|index| knowledge.conditions[*index].id.clone()).collect()
        }
    }
}
