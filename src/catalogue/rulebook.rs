//! How red flags and instruments are defined, in the words of the contract.

use std::collections::{BTreeMap, BTreeSet};

use crate::grpc::pb;
use crate::grpc::rulebook::{accuracy, conditions, inputs, question, urgency};
use crate::knowledge::{Subject, Term};
use crate::rules::{
    Atom, Condition, Implication, Instrument, Item, Level, Question, Reading, RedFlag, Rules,
};

/// A question of safety with all the inputs to ask for.
pub(super) fn whole_question(rules: &Rules, own: &Question) -> pb::RedFlagQuestion {
    let atoms: Vec<Atom> = own.answered.unasked(&|_| None).into_iter().copied().collect();
    let signs = own.signs.iter().flat_map(|signs| signs.atoms()).copied().collect::<Vec<_>>();
    pb::RedFlagQuestion { signs: inputs(rules, &signs), ..question(rules, own, &atoms) }
}

/// From what a finding follows.
pub(super) fn implication(rules: &Rules, own: &Implication) -> pb::Implication {
    pb::Implication {
        means: rules.knowledge.id(own.means).to_owned(),
        when: own.when.text.clone(),
        note: own.note.clone(),
    }
}

/// The red flags and instruments that ask for each finding, by their ids.
pub(super) struct Uses<'r> {
    rules: &'r Rules,
    flags: BTreeMap<Subject, BTreeSet<usize>>,
    instruments: BTreeMap<Subject, BTreeSet<usize>>,
}

impl<'r> Uses<'r> {
    pub(super) fn of(rules: &'r Rules) -> Self {
        let mut uses = Self { rules, flags: BTreeMap::new(), instruments: BTreeMap::new() };
        let asked = |condition: &Condition| -> Vec<Subject> {
            condition.atoms().into_iter().filter_map(Atom::subject).collect()
        };
        for (index, flag) in rules.red_flags.iter().enumerate() {
            for subject in asked(&flag.trigger) {
                uses.flags.entry(subject).or_default().insert(index);
            }
        }
        for (index, instrument) in rules.instruments.iter().enumerate() {
            let levels = instrument.items.iter().flat_map(|item| &item.levels);
            for subject in levels.flat_map(|level| asked(&level.when)) {
                uses.instruments.entry(subject).or_default().insert(index);
            }
        }
        uses
    }

    /// A finding's definition with what asks for it.
    pub(super) fn told(&self, definition: pb::FindingDefinition) -> pb::FindingDefinition {
        let Some(Term::YesNo(own)) = self.rules.knowledge.terms.get(&definition.id) else {
            return definition;
        };
        let flags = self.flags.get(own).into_iter().flatten();
        let instruments = self.instruments.get(own).into_iter().flatten();
        pb::FindingDefinition {
            red_flags: flags.map(|index| self.rules.red_flags[*index].id.clone()).collect(),
            instruments: instruments
                .map(|index| self.rules.instruments[*index].id.clone())
                .collect(),
            ..definition
        }
    }
}

/// The definition of a red flag.
pub(super) fn red_flag_definition(rules: &Rules, flag: &RedFlag) -> pb::RedFlagDefinition {
    let atoms: Vec<Atom> = flag.trigger.atoms().into_iter().copied().collect();
    pb::RedFlagDefinition {
        id: flag.id.clone(),
        label: flag.label.clone(),
        trigger: flag.trigger.text.clone(),
        urgency: urgency(flag.urgency).into(),
        action: flag.action.clone(),
        source: rules.knowledge.sources[flag.source].id.clone(),
        checked: flag.checked.to_owned(),
        note: flag.note.clone(),
        inputs: inputs(rules, &atoms),
    }
}

/// The definition of an instrument.
pub(super) fn instrument(rules: &Rules, instrument: &Instrument) -> pb::InstrumentDefinition {
    let text = |condition: &Option<Condition>| {
        condition.as_ref().map(|condition| condition.text.clone()).unwrap_or_default()
    };
    pb::InstrumentDefinition {
        id: instrument.id.clone(),
        label: instrument.label.clone(),
        conditions: conditions(rules, instrument),
        items: instrument.items.iter().map(item).collect(),
        readings: instrument.readings.iter().map(|own| reading(instrument, own)).collect(),
        pretest: instrument.pretest,
        applies: text(&instrument.applies),
        validated: text(&instrument.validated),
        accuracy: instrument.accuracy.iter().map(accuracy).collect(),
        cautions: instrument.cautions.clone(),
        licence_note: instrument.licence_note.clone(),
        source: rules.knowledge.sources[instrument.source].id.clone(),
    }
}

fn item(item: &Item) -> pb::InstrumentItem {
    let level =
        |level: &Level| pb::InstrumentLevel { when: level.when.text.clone(), points: level.points };
    pb::InstrumentItem {
        id: item.id.clone(),
        definition: item.definition.clone(),
        levels: item.levels.iter().map(level).collect(),
        otherwise: item.otherwise,
    }
}

fn reading(instrument: &Instrument, reading: &Reading) -> pb::InstrumentReadingDefinition {
    let bands = reading.bands.iter().map(|band| pb::InstrumentBand {
        from: band.from.is_finite().then_some(band.from),
        verdict: band.verdict.clone(),
    });
    pb::InstrumentReadingDefinition {
        id: reading.id.clone(),
        items: reading.items.iter().map(|&item| instrument.items[item].id.clone()).collect(),
        bands: bands.collect(),
    }
}
