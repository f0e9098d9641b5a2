//! What the knowledge base knows, in the words of the contract.

use crate::domain::expit;
use crate::knowledge::{
    Attribute, Code, Effect, Finding, KnowledgeBase, Leak, LeftOut, Link, Measure, Parameter,
    PrevalenceOf, RiskFactor, Source, Study, Subject, Term, Threshold,
};

use crate::grpc::{pb, render};

/// Half the width of a 95 % interval, in standard deviations.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// Kinds of what can be sent as a finding.
pub(super) const KINDS: [&str; 5] =
    ["symptom", "history", "examination", "investigation", "risk_factor"];

/// Something that can be sent as a finding.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    /// A finding or the complaint itself.
    Finding(&'a Finding),
    RiskFactor(&'a RiskFactor),
}

impl<'a> Entry<'a> {
    /// Everything that can be sent, ordered by id.
    pub(super) fn all(knowledge: &'a KnowledgeBase) -> Vec<Self> {
        let mut entries = vec![Self::Finding(&knowledge.complaint)];
        entries.extend(knowledge.findings.iter().map(Self::Finding));
        let factors = knowledge.risk_factors.iter().filter(|factor| factor.derived.is_none());
        entries.extend(factors.map(Self::RiskFactor));
        entries.sort_by_key(|entry| entry.id());
        entries
    }

    /// What an id, an alias or a measured id stands for.
    pub(super) fn find(knowledge: &'a KnowledgeBase, id: &str) -> Option<Self> {
        let subject = match knowledge.terms.get(id)? {
            Term::YesNo(subject) => *subject,
            Term::Measured(subjects) => *subjects.first()?,
        };
        Some(match subject {
            Subject::Complaint => Self::Finding(&knowledge.complaint),
            Subject::Finding(index) => Self::Finding(&knowledge.findings[index]),
            Subject::RiskFactor(index) => Self::RiskFactor(&knowledge.risk_factors[index]),
        })
    }

    fn id(self) -> &'a str {
        match self {
            Self::Finding(finding) => &finding.id,
            Self::RiskFactor(factor) => &factor.id,
        }
    }

    /// Kind, as the filter names it.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Finding(finding) => finding.kind,
            Self::RiskFactor(_) => "risk_factor",
        }
    }

    /// Whether it has a link to a condition.
    pub(super) fn concerns(self, condition: usize) -> bool {
        match self {
            Self::Finding(finding) => finding.links.iter().any(|link| link.condition == condition),
            Self::RiskFactor(factor) => {
                factor.effects.iter().any(|effect| effect.condition == condition)
            }
        }
    }

    /// Whether an id or the label contains a text, which must be in lower case.
    pub(super) fn mentions(self, text: &str) -> bool {
        let (label, aliases, measure) = match self {
            Self::Finding(finding) => (&finding.label, &finding.aliases, &finding.measure),
            Self::RiskFactor(factor) => (&factor.label, &factor.aliases, &factor.measure),
        };
        let measured = measure.iter().map(|measure| measure.id.as_str());
        let words = aliases.iter().map(String::as_str).chain([self.id(), label]).chain(measured);
        words.into_iter().any(|word| word.to_lowercase().contains(text))
    }

    /// Its definition, without the links.
    pub(super) fn definition(self, knowledge: &KnowledgeBase) -> pb::FindingDefinition {
        match self {
            Self::Finding(finding) => finding_definition(knowledge, finding),
            Self::RiskFactor(factor) => risk_factor_definition(factor),
        }
    }

    /// Its definition with the numbers behind it.
    pub(super) fn full_definition(self, knowledge: &KnowledgeBase) -> pb::FindingDefinition {
        let mut definition = self.definition(knowledge);
        match self {
            Self::Finding(finding) => {
                let links = finding.links.iter();
                definition.links =
                    links.map(|link| finding_link(knowledge, finding, link)).collect();
                let leaks = finding.leaks.iter();
                definition.background_rates =
                    leaks.map(|leak| background_rate(knowledge, leak)).collect();
            }
            Self::RiskFactor(factor) => {
                let effects = factor.effects.iter();
                definition.links =
                    effects.map(|effect| risk_factor_link(knowledge, effect)).collect();
            }
        }
        definition
    }
}

fn finding_definition(knowledge: &KnowledgeBase, finding: &Finding) -> pb::FindingDefinition {
    let cluster = finding.cluster.map(|index| knowledge.clusters[index].id.clone());
    let of_id = |index: usize| knowledge.findings[index].id.clone();
    pb::FindingDefinition {
        id: finding.id.clone(),
        label: finding.label.clone(),
        elicit: finding.elicit.clone(),
        positive: finding.positive.clone(),
        kind: finding.kind.to_owned(),
        effort: finding.effort.id().to_owned(),
        has_side: finding.has_side,
        cluster: cluster.unwrap_or_default(),
        aliases: finding.aliases.clone(),
        measure: finding.measure.as_ref().map(measure),
        background_rate: finding.leak_at(None).map(|leak| probability(leak.rate)),
        informative: finding.is_informative(),
        codes: codes(&finding.codes),
        parts: finding.parts.iter().map(|part| part_from(knowledge, part)).collect(),
        part_of: finding.part_of.map(of_id).unwrap_or_default(),
        ..pb::FindingDefinition::default()
    }
}

fn part_from(knowledge: &KnowledgeBase, findings: &[usize]) -> pb::Part {
    let id = |index: &usize| knowledge.findings[*index].id.clone();
    pb::Part { findings: findings.iter().map(id).collect() }
}

fn risk_factor_definition(factor: &RiskFactor) -> pb::FindingDefinition {
    pb::FindingDefinition {
        id: factor.id.clone(),
        label: factor.label.clone(),
        elicit: factor.elicit.clone(),
        positive: factor.positive.clone(),
        kind: "risk_factor".to_owned(),
        effort: factor.effort.id().to_owned(),
        aliases: factor.aliases.clone(),
        measure: factor.measure.as_ref().map(measure),
        background_rate: Some(probability(factor.prevalence)),
        informative: !factor.effects.is_empty(),
        codes: codes(&factor.codes),
        ..pb::FindingDefinition::default()
    }
}

fn measure(measure: &Measure) -> pb::Measure {
    let (present, threshold) = match measure.present {
        Threshold::Below(value) => ("below", value),
        Threshold::AtMost(value) => ("at_most", value),
        Threshold::AtLeast(value) => ("at_least", value),
        Threshold::Above(value) => ("above", value),
    };
    pb::Measure {
        id: measure.id.clone(),
        unit: measure.unit.clone(),
        present: present.to_owned(),
        threshold,
        minimum: measure.range.0,
        maximum: measure.range.1,
    }
}

fn finding_link(knowledge: &KnowledgeBase, finding: &Finding, link: &Link) -> pb::FindingLink {
    let same_grade = || finding.leaks.iter().filter(|leak| leak.at_least == link.at_least);
    let leak = same_grade().find(|leak| leak.age == link.age).or_else(|| same_grade().next());
    let ratios = leak.map(|leak| link.sensitivity.likelihood_ratios(leak.rate));
    pb::FindingLink {
        condition: knowledge.conditions[link.condition].id.clone(),
        sensitivity: Some(probability(link.sensitivity)),
        lr_positive: ratios.map(|(positive, _)| ratio(positive)),
        lr_negative: ratios.map(|(_, negative)| ratio(negative)),
        quality: best_grade(&link.studies).to_owned(),
        studies: studies(knowledge, &link.studies),
        age: link.age.map(age_band),
        at_least: link.at_least.unwrap_or_default(),
        odds_ratio: None,
    }
}

fn background_rate(knowledge: &KnowledgeBase, leak: &Leak) -> pb::BackgroundRate {
    pb::BackgroundRate {
        age: leak.age.map(age_band),
        at_least: leak.at_least.unwrap_or_default(),
        rate: Some(probability(leak.rate)),
        studies: studies(knowledge, &leak.studies),
        quality: best_grade(&leak.studies).to_owned(),
    }
}

const fn age_band((minimum, maximum): (u32, u32)) -> pb::AgeBand {
    pb::AgeBand { minimum, maximum }
}

fn risk_factor_link(knowledge: &KnowledgeBase, effect: &Effect) -> pb::FindingLink {
    pb::FindingLink {
        condition: knowledge.conditions[effect.condition].id.clone(),
        odds_ratio: Some(ratio(effect.odds_ratio)),
        quality: best_grade(&effect.studies).to_owned(),
        studies: studies(knowledge, &effect.studies),
        ..pb::FindingLink::default()
    }
}

/// The best grade among the studies that are pooled.
fn best_grade(studies: &[Study]) -> &'static str {
    let pooled = || studies.iter().filter(|study| study.excluded.is_empty());
    let is_there = |grade: &&str| pooled().any(|study| study.quality == *grade);
    ["high", "moderate", "low", "expert"].into_iter().find(is_there).unwrap_or_default()
}

fn studies(knowledge: &KnowledgeBase, studies: &[Study]) -> Vec<pb::Study> {
    studies.iter().map(|published| study(knowledge, published)).collect()
}

fn study(knowledge: &KnowledgeBase, study: &Study) -> pb::Study {
    let source = study.source.map(|index| &knowledge.sources[index]);
    pb::Study {
        source: source.map(|source| source.id.clone()).unwrap_or_default(),
        reference: source.map(Source::reference).unwrap_or_default(),
        value: Some(study.value),
        quality: study.quality.to_owned(),
        checked: study.checked.to_owned(),
        population: study.population.clone(),
        note: study.note.clone(),
        excluded: study.excluded.clone(),
        positives: study.positives,
        examined: study.examined,
        lower: study.interval.map(|(lower, _)| lower),
        upper: study.interval.map(|(_, upper)| upper),
    }
}

fn codes(codes: &[Code]) -> Vec<pb::Coding> {
    let coding =
        |code: &Code| pb::Coding { system: code.system.to_owned(), code: code.code.clone() };
    codes.iter().map(coding).collect()
}

/// A condition with its prevalences.
pub(super) fn condition(knowledge: &KnowledgeBase, index: usize) -> pb::Condition {
    let condition = &knowledge.conditions[index];
    let link = knowledge.complaint.links_at(None).find(|link| link.condition == index);
    let prevalences = knowledge.settings.iter().map(|setting| {
        let prevalence = setting.prevalences[index];
        let of = match prevalence.of {
            PrevalenceOf::Presence => "presence",
            PrevalenceOf::Cause => "cause",
        };
        pb::Prevalence {
            setting: setting.id.clone(),
            prevalence: Some(probability(prevalence.value)),
            of: of.to_owned(),
        }
    });
    pb::Condition {
        id: condition.id.clone(),
        label: condition.label.clone(),
        origin: render::origin(condition.origin).into(),
        mechanism: condition.mechanism.id().to_owned(),
        description: condition.description.clone(),
        codes: codes(&condition.codes),
        heel_pain_link: link.map(|link| probability(link.sensitivity)),
        prevalences: prevalences.collect(),
        left_out: left_out(knowledge, |of| (of.source, of.condition) == (None, Some(index))),
    }
}

/// A source with what is left out of it.
pub(super) fn source(knowledge: &KnowledgeBase, index: usize) -> pb::Source {
    let source = &knowledge.sources[index];
    pb::Source {
        id: source.id.clone(),
        authors: source.authors.clone(),
        year: source.year,
        title: source.title.clone(),
        journal: source.journal.clone(),
        doi: source.doi.clone(),
        pmid: source.pmid.clone(),
        url: source.url.clone(),
        study_count: count(source.pooled),
        left_out: left_out(knowledge, |of| of.source == Some(index)),
    }
}

fn left_out(
    knowledge: &KnowledgeBase,
    belongs: impl Fn(&LeftOut) -> bool,
) -> Vec<pb::LeftOutFigure> {
    let condition = |index: usize| knowledge.conditions[index].id.clone();
    let figure = |figure: &LeftOut| pb::LeftOutFigure {
        subject: figure.subject.clone(),
        figure: figure.figure.clone(),
        condition: figure.condition.map(condition).unwrap_or_default(),
        reason: figure.reason.clone(),
    };
    knowledge.left_out.iter().filter(|figure| belongs(figure)).map(figure).collect()
}

/// The model card.
pub(super) fn card(knowledge: &KnowledgeBase) -> pb::ModelCard {
    let card = &knowledge.card;
    let settings = knowledge.settings.iter().map(|setting| pb::Setting {
        id: setting.id.clone(),
        label: setting.label.clone(),
        description: setting.description.clone(),
    });
    pb::ModelCard {
        model: Some(render::model_version(knowledge)),
        title: card.title.clone(),
        intended_use: card.intended_use.clone(),
        intended_users: card.intended_users.clone(),
        out_of_scope: card.out_of_scope.clone(),
        limits: card.limits.clone(),
        settings: settings.collect(),
        condition_count: count(knowledge.conditions.len()),
        finding_count: count(Entry::all(knowledge).len()),
        source_count: count(knowledge.sources.len()),
        published_figure_count: count(knowledge.sources.iter().map(|of| of.pooled).sum()),
        judged_figure_count: count(knowledge.judged_figures),
        left_out: left_out(knowledge, |of| (of.source, of.condition) == (None, None)),
        attributes: card.attributes.iter().map(attribute).collect(),
    }
}

fn attribute(attribute: &Attribute) -> pb::Attribute {
    pb::Attribute { name: attribute.id.clone(), text: attribute.text.clone() }
}

/// The lists are far shorter than 2^32.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A parameter on the log-odds scale, as a probability with its 95 % interval.
fn probability(parameter: Parameter) -> pb::Estimate {
    estimate(parameter, expit)
}

/// A parameter on the logarithmic scale, as a ratio with its 95 % interval.
fn ratio(parameter: Parameter) -> pb::Estimate {
    estimate(parameter, f64::exp)
}

fn estimate(parameter: Parameter, scale: fn(f64) -> f64) -> pb::Estimate {
    let half_width = NORMAL_95 * parameter.variance.sqrt();
    pb::Estimate {
        value: Some(scale(parameter.mean)),
        lower: Some(scale(parameter.mean - half_width)),
        upper: Some(scale(parameter.mean + half_width)),
    }
}
