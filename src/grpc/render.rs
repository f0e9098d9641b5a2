//! From the inner layers to the contract: an assessment becomes a response.

use std::collections::BTreeSet;

use crate::advice::Answer;
use crate::domain::{
    Assessment, Basis, ConditionEvidence, ConditionScore, Contribution, Interval, Notice, Origin,
    OriginScore, Unit, expit, logit,
};
use crate::knowledge::{Finding, KnowledgeBase, Study};
use crate::rules::Rules;

use super::{next_steps, pb, rulebook};

/// The response to a request.
pub(crate) fn response(
    rules: &Rules,
    assessment_id: String,
    answer: &Answer,
) -> pb::ScoreFindingsResponse {
    let Answer { safety, assessment, notices, summary, details } = answer;
    let knowledge = &rules.knowledge;
    let basis = match assessment.basis {
        Basis::HeelPain => pb::Basis::HeelPain,
        Basis::PresenceOnly => pb::Basis::PresenceOnly,
    };
    // A flag of which nothing is present says no more than the list of all flags does.
    let open = safety.open.iter().filter(|flag| details.is_some() || flag.is_begun());
    let mut response = pb::ScoreFindingsResponse {
        assessment_id,
        model: Some(model_version(knowledge)),
        setting: knowledge.settings[assessment.setting].id.clone(),
        basis: basis.into(),
        origins: assessment.origins.iter().map(origin_score).collect(),
        unexplained: assessment.unexplained,
        several_origins: Some(assessment.several_origins),
        conditions: assessment
            .conditions
            .iter()
            .map(|own| condition_score(knowledge, own))
            .collect(),
        contributions: contributions(knowledge, assessment),
        notices: notices.iter().map(notice).collect(),
        red_flags: safety.fired.iter().map(|flag| rulebook::red_flag(rules, flag)).collect(),
        red_flag_questions: rulebook::questions(rules, safety),
        open_red_flags: open.map(|flag| rulebook::open_red_flag(rules, flag)).collect(),
        summary: summary.clone(),
        ..pb::ScoreFindingsResponse::default()
    };
    if let Some(details) = details {
        let instruments = details.instruments.iter();
        response.instruments =
            instruments.map(|result| rulebook::instrument_result(rules, result)).collect();
        response.suggestions = next_steps::suggestions(rules, &details.suggestions);
        response.stop = Some(next_steps::stop(&details.suggestions));
        let reversals = details.reversals.iter();
        response.reversals = reversals.map(|own| next_steps::reversal(rules, own)).collect();
        response.conflict =
            details.conflict.as_ref().map(|own| next_steps::conflict(knowledge, own));
    }
    response
}

/// A notice.
pub(crate) fn notice(notice: &Notice) -> pb::Notice {
    pb::Notice {
        code: notice.code.clone(),
        message: notice.message.clone(),
        subjects: notice.subjects.clone(),
    }
}

/// Identity of a model.
pub(crate) fn model_version(knowledge: &KnowledgeBase) -> pb::ModelVersion {
    pb::ModelVersion {
        version: knowledge.card.version.clone(),
        digest: knowledge.digest.clone(),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// An origin.
pub(crate) fn origin(origin: Origin) -> pb::Origin {
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

/// The contributions, each with where it leaves the origins.
fn contributions(knowledge: &KnowledgeBase, assessment: &Assessment) -> Vec<pb::Contribution> {
    let pretest = |origin: Origin| {
        let own = assessment.origins.iter().find(|score| score.origin == origin);
        own.map_or(f64::NAN, |score| logit(score.pretest))
    };
    let mut running = Origin::ALL.map(pretest);
    let mut contribution = |part: &Contribution| {
        let origins = Origin::ALL.into_iter().zip(part.nats).zip(&mut running);
        let origins = origins.map(|((of, nats), running)| {
            *running += nats;
            pb::OriginContribution {
                origin: origin(of).into(),
                nats: Some(nats),
                odds_factor: Some(nats.exp()),
                running: Some(expit(*running)),
            }
        });
        let origins = origins.collect();
        pb::Contribution { origins, ..unit(knowledge, part) }
    };
    assessment.contributions.iter().map(&mut contribution).collect()
}

/// What a contribution comes from.
fn unit(knowledge: &KnowledgeBase, part: &Contribution) -> pb::Contribution {
    let mut findings: Vec<String> =
        part.findings.iter().map(|index| knowledge.findings[*index].id.clone()).collect();
    let kind = match part.unit {
        Unit::Finding(_) => pb::UnitKind::Finding,
        Unit::Cluster(_) => pb::UnitKind::Cluster,
        Unit::RiskFactor(index) => {
            // Age and sex are sent as such, never as a risk factor.
            let factor = &knowledge.risk_factors[index];
            findings.extend(factor.derived.is_none().then(|| factor.id.clone()));
            pb::UnitKind::RiskFactor
        }
    };
    pb::Contribution {
        unit: knowledge.unit_id(part.unit).to_owned(),
        kind: kind.into(),
        findings,
        conditions: part.conditions.iter().map(|own| condition_evidence(knowledge, own)).collect(),
        origins: Vec::new(),
    }
}

fn condition_evidence(
    knowledge: &KnowledgeBase,
    evidence: &ConditionEvidence,
) -> pb::ConditionEvidence {
    pb::ConditionEvidence {
        finding: knowledge.unit_id(evidence.of).to_owned(),
        condition: knowledge.conditions[evidence.condition].id.clone(),
        given_condition: evidence.given.map(|(with, _)| with),
        given_not_condition: evidence.given.map(|(_, without)| without),
        likelihood_ratio: Some(evidence.ratio),
        discount: Some(evidence.discount),
        sources: sources(knowledge, evidence),
    }
}

/// Ids of the sources whose figures are pooled into what a result says of a condition, each once.
fn sources(knowledge: &KnowledgeBase, evidence: &ConditionEvidence) -> Vec<String> {
    let of = evidence.condition;
    let studies: Vec<&Study> = match evidence.of {
        Unit::Finding(index) => {
            let Finding { links, leaks, .. } = &knowledge.findings[index];
            let own = links.iter().filter(|link| link.condition == of);
            own.flat_map(|link| &link.studies)
                .chain(leaks.iter().flat_map(|l| &l.studies))
                .collect()
        }
        Unit::RiskFactor(index) => {
            let effects = knowledge.risk_factors[index].effects.iter();
            effects.filter(|effect| effect.condition == of).flat_map(|e| &e.studies).collect()
        }
        Unit::Cluster(_) => Vec::new(),
    };
    let pooled = studies.into_iter().filter(|study| study.excluded.is_empty());
    let sources: BTreeSet<usize> = pooled.filter_map(|study| study.source).collect();
    sources.into_iter().map(|index| knowledge.sources[index].id.clone()).collect()
}
