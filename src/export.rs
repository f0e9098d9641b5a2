//! The compiled network as JSON, and a report on it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::domain::{Complaint, Sex};
use crate::engine::{Model, Solution};
use crate::knowledge::{
    Condition, Correlation, Effect, Finding, KnowledgeBase, Leak, Link, PrevalenceOf, RiskFactor,
    SettingPrevalence, Trigger,
};
use crate::rules::Rules;
use crate::validation::condition_counts;

/// The compiled network: every number an answer is computed from, so that anybody can recompute one in another tool.
/// Probabilities are in [0, 1], odds and factors natural logarithms, variances on the scale of their number.
#[must_use]
pub fn network(model: &Model) -> Value {
    let knowledge = model.knowledge();
    json!({
        "version": knowledge.card.version,
        "digest": knowledge.digest,
        "conditions": conditions(knowledge),
        "settings": (0..knowledge.settings.len()).map(|s| setting(model, s)).collect::<Vec<_>>(),
        "associations": associations(knowledge),
        "clusters": knowledge.clusters.iter().map(|c| json!({"id": c.id, "rho": c.rho})).collect::<Vec<_>>(),
        "risk_factors": knowledge.risk_factors.iter().map(|r| risk_factor(knowledge, r)).collect::<Vec<_>>(),
        "findings": knowledge.findings.iter().map(|f| finding(knowledge, f)).collect::<Vec<_>>(),
    })
}

fn conditions(knowledge: &KnowledgeBase) -> Vec<Value> {
    let condition = |(condition, link): (&Condition, &Link)| {
        json!({
            "id": condition.id,
            "origin": condition.origin.id(),
            "heel_pain_link": link.sensitivity.probability(),
            "heel_pain_link_variance": link.sensitivity.variance,
        })
    };
    knowledge.conditions.iter().zip(&knowledge.complaint.links).map(condition).collect()
}

fn setting(model: &Model, index: usize) -> Value {
    let setting = &model.knowledge().settings[index];
    let prevalence = |stated: &SettingPrevalence| {
        json!({
            "value": stated.value.probability(),
            "variance": stated.value.variance,
            "of": match stated.of {
                PrevalenceOf::Presence => "presence",
                PrevalenceOf::Cause => "cause",
            },
        })
    };
    json!({
        "id": setting.id,
        "unexplained": setting.unexplained.probability(),
        "coexistence": setting.coexistence.probability(),
        "prevalences": setting.prevalences.iter().map(prevalence).collect::<Vec<_>>(),
        "heel_pain_present": solution(&model.solution(index, Complaint::Present)),
        "heel_pain_absent": solution(&model.solution(index, Complaint::Absent)),
    })
}

fn solution(solution: &Solution) -> Value {
    json!({
        "base_log_odds": solution.log_odds,
        "association_log_factors": solution.associations,
        "coexistence_log_factor": solution.coexistence,
        "heel_pain_leak": solution.leak,
    })
}

fn associations(knowledge: &KnowledgeBase) -> Vec<Value> {
    let id = |condition: usize| &knowledge.conditions[condition].id;
    let associations = knowledge.associations.iter().map(|association| {
        let (kind, value, variance) = match association.correlation {
            Correlation::Conditional(stated) => {
                ("probability", stated.probability(), stated.variance)
            }
            Correlation::OddsRatio(stated) => ("odds_ratio", stated.odds_ratio(), stated.variance),
        };
        json!({
            "condition": id(association.condition),
            "given": id(association.given),
            kind: value,
            "variance": variance,
        })
    });
    associations.collect()
}

fn risk_factor(knowledge: &KnowledgeBase, factor: &RiskFactor) -> Value {
    let effect = |effect: &Effect| {
        json!({
            "condition": knowledge.conditions[effect.condition].id,
            "odds_ratio": effect.odds_ratio.odds_ratio(),
            "variance": effect.odds_ratio.variance,
        })
    };
    let derived = factor.derived.map(|trigger| match trigger {
        Trigger::Age(from, to) => json!({"age": [from, to]}),
        Trigger::Sex(Sex::Female) => json!({"sex": "female"}),
        Trigger::Sex(Sex::Male) => json!({"sex": "male"}),
    });
    json!({
        "id": factor.id,
        "derived": derived,
        "prevalence": factor.prevalence.probability(),
        "prevalence_variance": factor.prevalence.variance,
        "effects": factor.effects.iter().map(effect).collect::<Vec<_>>(),
    })
}

fn finding(knowledge: &KnowledgeBase, finding: &Finding) -> Value {
    let leak = |leak: &Leak| json!({"age": leak.age, "at_least": leak.at_least, "rate": leak.rate.probability(), "variance": leak.rate.variance});
    let link = |link: &Link| {
        json!({
            "condition": knowledge.conditions[link.condition].id,
            "age": link.age,
            "at_least": link.at_least,
            "sensitivity": link.sensitivity.probability(),
            "variance": link.sensitivity.variance,
        })
    };
    json!({
        "id": finding.id,
        "aliases": finding.aliases,
        "cluster": finding.cluster.map(|cluster| &knowledge.clusters[cluster].id),
        "parts": finding.parts.iter().map(|part| part.iter().map(|&part| &knowledge.findings[part].id).collect()).collect::<Vec<Vec<_>>>(),
        "leaks": finding.leaks.iter().map(leak).collect::<Vec<_>>(),
        "links": finding.links.iter().map(link).collect::<Vec<_>>(),
    })
}

/// What `knowledge check` prints of a sound knowledge base.
#[must_use]
pub fn report(model: &Model, rules: &Rules) -> String {
    let knowledge = model.knowledge();
    let links: usize = knowledge.findings.iter().map(|finding| finding.links.len()).sum();
    let mut text = format!(
        "version {}, digest {}\n{} conditions, {} findings with {links} links, {} risk factors, {} sources\n{} red flags, {} questions of safety, {} instruments, {} contradictions\n",
        knowledge.card.version,
        knowledge.digest,
        knowledge.conditions.len(),
        knowledge.findings.len(),
        knowledge.risk_factors.len(),
        knowledge.sources.len(),
        rules.red_flags.len(),
        rules.questions.len(),
        rules.instruments.len(),
        rules.contradictions.len(),
    );
    text.push_str("conditions present given heel pain:      0      1      2     3+\n");
    for (index, setting) in knowledge.settings.iter().enumerate() {
        let [none, one, two, more] = condition_counts(model, index);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<36}{none:>7.3}{one:>7.3}{two:>7.3}{more:>7.3}", setting.id);
    }
    text
}
