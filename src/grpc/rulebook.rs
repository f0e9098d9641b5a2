//! What red flags and instruments say of a patient, in the words of the contract.

use crate::domain::{Sex, Side};
use crate::rules::{
    Accuracy, Atom, Instrument, InstrumentResult, Question, Reading, ReadingResult, RedFlagResult,
    Rules, Safety, Status, Urgency,
};

use super::pb;

/// A red flag that fires.
pub(super) fn red_flag(rules: &Rules, result: &RedFlagResult) -> pb::RedFlag {
    let flag = &rules.red_flags[result.flag];
    pb::RedFlag {
        red_flag: flag.id.clone(),
        label: flag.label.clone(),
        urgency: urgency(flag.urgency).into(),
        action: flag.action.clone(),
        because: inputs(rules, &result.because),
        not_asked: inputs(rules, &result.unasked),
        source: rules.knowledge.sources[flag.source].id.clone(),
    }
}

/// A red flag that is not ruled out.
pub(super) fn open_red_flag(rules: &Rules, result: &RedFlagResult) -> pb::OpenRedFlag {
    let flag = &rules.red_flags[result.flag];
    pb::OpenRedFlag {
        red_flag: flag.id.clone(),
        urgency: urgency(flag.urgency).into(),
        because: inputs(rules, &result.because),
        not_asked: inputs(rules, &result.unasked),
    }
}

/// The questions of safety that were not answered.
pub(super) fn questions(rules: &Rules, safety: &Safety) -> Vec<pb::RedFlagQuestion> {
    let questions = safety.questions.iter();
    questions.map(|(index, unasked)| question(rules, &rules.questions[*index], unasked)).collect()
}

/// A question of safety, with the inputs that answer it.
pub(crate) fn question(
    rules: &Rules,
    question: &Question,
    findings: &[Atom],
) -> pb::RedFlagQuestion {
    pb::RedFlagQuestion {
        question: question.id.clone(),
        ask: question.ask.clone(),
        findings: inputs(rules, findings),
        signs: Vec::new(),
    }
}

/// The result of an instrument.
pub(super) fn instrument_result(rules: &Rules, result: &InstrumentResult) -> pb::InstrumentResult {
    let instrument = &rules.instruments[result.instrument];
    let readings = instrument.readings.iter().zip(&result.readings);
    let status = match result.status {
        Status::Computed => pb::InstrumentStatus::Computed,
        Status::Bounded => pb::InstrumentStatus::Bounded,
        Status::NotApplicable => pb::InstrumentStatus::NotApplicable,
        Status::NotValidatedPopulation => pb::InstrumentStatus::NotValidatedPopulation,
    };
    pb::InstrumentResult {
        instrument: instrument.id.clone(),
        label: instrument.label.clone(),
        conditions: conditions(rules, instrument),
        status: status.into(),
        readings: readings.map(|(reading, result)| reading_result(reading, result)).collect(),
        missing: inputs(rules, &result.missing),
        applicability_not_asked: inputs(rules, &result.applicability_unasked),
        accuracy: instrument.accuracy.iter().map(accuracy).collect(),
        cautions: instrument.cautions.clone(),
        source: rules.knowledge.sources[instrument.source].id.clone(),
    }
}

fn reading_result(reading: &Reading, result: &ReadingResult) -> pb::InstrumentReading {
    let verdict = |band: &usize| reading.bands[*band].verdict.clone();
    pb::InstrumentReading {
        reading: reading.id.clone(),
        score: result.score,
        lowest: Some(result.range.0),
        highest: Some(result.range.1),
        settled: Some(result.possible.len() == 1),
        verdict: result.verdict.as_ref().map(verdict).unwrap_or_default(),
        possible_verdicts: result.possible.iter().map(verdict).collect(),
        probability: result.probability.map(|(at, _)| at),
        lowest_probability: result.probability.map(|(_, (lowest, _))| lowest),
        highest_probability: result.probability.map(|(_, (_, highest))| highest),
    }
}

/// A published accuracy.
pub(crate) fn accuracy(accuracy: &Accuracy) -> pb::InstrumentAccuracy {
    pb::InstrumentAccuracy {
        of: accuracy.of.clone(),
        figures: accuracy.figures.clone(),
        population: accuracy.population.clone(),
        checked: accuracy.checked.clone(),
    }
}

/// Ids of the conditions an instrument is about.
pub(crate) fn conditions(rules: &Rules, instrument: &Instrument) -> Vec<String> {
    let id = |&condition: &usize| rules.knowledge.conditions[condition].id.clone();
    instrument.targets.iter().map(id).collect()
}

/// How fast to act.
pub(crate) const fn urgency(urgency: Urgency) -> pb::Urgency {
    match urgency {
        Urgency::Emergency => pb::Urgency::Emergency,
        Urgency::Urgent => pb::Urgency::Urgent,
        Urgency::Soon => pb::Urgency::Soon,
    }
}

/// The names of inputs, each once.
pub(crate) fn inputs(rules: &Rules, atoms: &[Atom]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for atom in atoms {
        let name = match *atom {
            Atom::Present(subject, Some(Side::Left)) => {
                format!("{}@left", rules.knowledge.id(subject))
            }
            Atom::Present(subject, Some(Side::Right)) => {
                format!("{}@right", rules.knowledge.id(subject))
            }
            Atom::Present(subject, _) => rules.knowledge.id(subject).to_owned(),
            Atom::Age(..) => "age".to_owned(),
            Atom::Sex(Sex::Female | Sex::Male) => "sex".to_owned(),
            Atom::Fired(flag) => rules.red_flags[flag].id.clone(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
