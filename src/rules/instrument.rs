//! Named published instruments, computed exactly, with the range that is still possible while items are missing.
//!
//! They stand beside the posterior and are never multiplied into it: their items are findings of the network already.

use super::Rules;
use super::facts::{Atom, Condition, Facts, Scope};
use super::red_flag::distinct;

/// An instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Instrument {
    /// Id.
    pub id: String,
    /// Name.
    pub label: String,
    /// Indices of the conditions it is about.
    pub targets: Vec<usize>,
    /// Items.
    pub items: Vec<Item>,
    /// Readings of the items; the first is the instrument's own.
    pub readings: Vec<Reading>,
    /// For a product of likelihood ratios, the pretest probability it starts from; its points are then ratios.
    pub pretest: Option<f64>,
    /// For whom it was made: where this is known not to hold, it is not applied.
    pub applies: Option<Condition>,
    /// Whom it was tested in: where this is not known to hold, it is not validated.
    pub validated: Option<Condition>,
    /// Published accuracy.
    pub accuracy: Vec<Accuracy>,
    /// How to read it, and choices made.
    pub cautions: Vec<String>,
    /// Position on reproducing it.
    pub licence_note: String,
    /// Index of its source in the knowledge base.
    pub source: usize,
}

/// An item of an instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Id within the instrument.
    pub id: String,
    /// What is asked or examined.
    pub definition: String,
    /// Levels; the first that holds gives the points.
    pub levels: Vec<Level>,
    /// Points when no level holds.
    pub otherwise: f64,
}

/// A level of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// When it holds.
    pub when: Condition,
    /// Its points.
    pub points: f64,
}

/// One way of counting the items.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Id within the instrument.
    pub id: String,
    /// Indices of the items that count.
    pub items: Vec<usize>,
    /// Bands, the highest first; the last takes everything below.
    pub bands: Vec<Band>,
}

/// A range of scores with one verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Lowest score, included.
    pub from: f64,
    /// Verdict.
    pub verdict: String,
}

/// A published accuracy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accuracy {
    /// What it holds for, such as a threshold.
    pub of: String,
    /// The figures, in words.
    pub figures: String,
    /// Whom it was measured in, and against what.
    pub population: String,
    /// Whether it was read or recalled.
    pub checked: String,
}

/// How an instrument could be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every item is known.
    Computed,
    /// Items are missing: ranges are given.
    Bounded,
    /// The patient is not one it was made for.
    NotApplicable,
    /// Computed or bounded in a patient unlike those it was tested in.
    NotValidatedPopulation,
}

/// What an instrument says of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct InstrumentResult {
    /// Index of the instrument.
    pub instrument: usize,
    /// How it could be applied.
    pub status: Status,
    /// Its readings, in its order; empty when it is not applicable.
    pub readings: Vec<ReadingResult>,
    /// What was not asked and could change a score.
    pub missing: Vec<Atom>,
    /// What was not asked of whom it was made for and tested in.
    pub applicability_unasked: Vec<Atom>,
}

/// What one reading says.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingResult {
    /// The score; `None` while items are missing, but a product takes a missing ratio as 1.
    pub score: Option<f64>,
    /// Smallest and largest score still possible.
    pub range: (f64, f64),
    /// Index of the band of the score, or of the only one possible.
    pub verdict: Option<usize>,
    /// Indices of the bands still possible, the lowest first. One: the verdict is settled.
    pub possible: Vec<usize>,
    /// For a product, the posttest probability of the score, and its range.
    pub probability: Option<(f64, (f64, f64))>,
}

/// No instrument has the id.
#[derive(Debug, thiserror::Error)]
#[error("no instrument has the id `{asked}`; there are {}", known.join(", "))]
pub struct UnknownInstrument {
    /// What was asked for.
    pub asked: String,
    /// Ids of the instruments there are.
    pub known: Vec<String>,
}

impl Rules {
    /// Whether there is an instrument of this id.
    #[must_use]
    pub fn has_instrument(&self, id: &str) -> bool {
        self.instruments.iter().any(|instrument| instrument.id == id)
    }

    /// Leaves instruments out.
    ///
    /// # Errors
    /// [`UnknownInstrument`] for the first id that is none.
    pub fn switch_off(&mut self, ids: &[String]) -> Result<(), UnknownInstrument> {
        if let Some(asked) = ids.iter().find(|id| !self.has_instrument(id)).cloned() {
            let known = self.instruments.iter().map(|instrument| instrument.id.clone()).collect();
            return Err(UnknownInstrument { asked, known });
        }
        self.instruments.retain(|instrument| !ids.contains(&instrument.id));
        Ok(())
    }

    /// Computes every instrument for which anything was asked.
    #[must_use]
    pub fn instruments(&self, facts: &Facts) -> Vec<InstrumentResult> {
        let of = |atom: &Atom| facts.value(&self.knowledge, Scope::Assessed, &[], atom);
        let is_begun = |instrument: &Instrument| {
            let levels = instrument.items.iter().flat_map(|item| &item.levels);
            let mut atoms = levels.flat_map(|level| level.when.atoms());
            atoms.any(|atom| atom.subject().is_some() && of(atom).is_some())
        };
        let begun = self.instruments.iter().enumerate().filter(|(_, own)| is_begun(own));
        begun.map(|(index, instrument)| instrument.result(index, &of)).collect()
    }
}

impl Instrument {
    fn result(&self, instrument: usize, of: &impl Fn(&Atom) -> Option<bool>) -> InstrumentResult {
        let population = [&self.applies, &self.validated];
        let population = population.into_iter().flatten();
        let unasked = population.flat_map(|condition| condition.unasked(of)).collect();
        let applicability_unasked = distinct(unasked);
        let value = |condition: &Option<Condition>| condition.as_ref().map(|own| own.value(of));
        if value(&self.applies) == Some(Some(false)) {
            let status = Status::NotApplicable;
            let (readings, missing) = (Vec::new(), Vec::new());
            return InstrumentResult {
                instrument,
                status,
                readings,
                missing,
                applicability_unasked,
            };
        }
        let missing = distinct(self.items.iter().flat_map(|item| item.unasked(of)).collect());
        let status = match value(&self.validated) {
            Some(None | Some(false)) => Status::NotValidatedPopulation,
            _ if missing.is_empty() => Status::Computed,
            _ => Status::Bounded,
        };
        let readings = self.readings.iter().map(|reading| self.reading(reading, of)).collect();
        InstrumentResult { instrument, status, readings, missing, applicability_unasked }
    }

    fn reading(&self, reading: &Reading, of: &impl Fn(&Atom) -> Option<bool>) -> ReadingResult {
        let points: Vec<Points> =
            reading.items.iter().map(|&item| self.items[item].points(of)).collect();
        let total = |part: fn(&Points) -> f64| match self.pretest {
            Some(_) => points.iter().map(part).product::<f64>(),
            None => points.iter().map(part).sum(),
        };
        let range = (total(|points| points.lowest), total(|points| points.highest));
        let settled = points.iter().all(|points| points.known.is_some());
        let is_scored = self.pretest.is_some() || settled;
        let score = is_scored.then(|| total(|points| points.known.unwrap_or(1.0)));
        let band = |score: f64| {
            let found = reading.bands.iter().position(|band| score >= band.from);
            found.unwrap_or(reading.bands.len().saturating_sub(1))
        };
        let possible: Vec<usize> = (band(range.1)..=band(range.0)).rev().collect();
        let only = Some(possible[0]).filter(|_| possible.len() == 1);
        let odds = |pretest: f64| pretest / (1.0 - pretest);
        let probability = |score: f64, pretest: f64| {
            let posttest = odds(pretest) * score;
            posttest / (1.0 + posttest)
        };
        let probability = self.pretest.zip(score).map(|(pretest, score)| {
            let at = |score| probability(score, pretest);
            (at(score), (at(range.0), at(range.1)))
        });
        ReadingResult { score, range, verdict: score.map(band).or(only), possible, probability }
    }
}

/// The points of an item: known, or between two.
struct Points {
    known: Option<f64>,
    lowest: f64,
    highest: f64,
}

impl Points {
    fn among(known: Option<f64>, possible: &[f64]) -> Self {
        let lowest = possible.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = possible.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { known: known.or((lowest >= highest).then_some(lowest)), lowest, highest }
    }
}

impl Item {
    fn points(&self, of: &impl Fn(&Atom) -> Option<bool>) -> Points {
        let mut possible = Vec::new();
        let mut known = None;
        for level in &self.levels {
            let value = level.when.value(of);
            if value != Some(false) {
                possible.push(level.points);
            }
            if value == Some(true) {
                known = known.or(Some(level.points).filter(|_| possible.len() == 1));
                if level.when.unasked(of).is_empty() {
                    return Points::among(known, &possible);
                }
            }
        }
        possible.push(self.otherwise);
        Points::among(known, &possible)
    }

    /// What was not asked and could change its points.
    fn unasked<'a>(&'a self, of: &impl Fn(&Atom) -> Option<bool>) -> Vec<&'a Atom> {
        let points = self.points(of);
        if points.lowest >= points.highest {
            return Vec::new();
        }
        self.levels.iter().flat_map(|level| level.when.unasked(of)).collect()
    }
}
