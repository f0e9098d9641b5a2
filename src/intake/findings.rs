//! Validation of the findings: what each says, on which side, and whether they agree.

use std::collections::BTreeMap;

use super::nearest::nearest;
use super::validate::{Intake, is_plain_id};
use super::{DraftFinding, FindingField, Location, Reason, Value};
use crate::domain::{Exposure, Notice, Observation, Side};
use crate::knowledge::{Measure, RiskFactor, Subject, Term};

/// Most findings in one draft.
const MOST_FINDINGS: usize = 256;
/// What was told and is used, by term; each term stands once.
#[derive(Default)]
pub(super) struct Told(pub(super) BTreeMap<Subject, bool>);

impl Told {
    pub(super) fn observations(&self) -> Vec<Observation> {
        let observation = |(subject, &present): (&Subject, &bool)| match *subject {
            Subject::Finding(finding) => Some(Observation { finding, present }),
            Subject::Complaint | Subject::RiskFactor(_) => None,
        };
        self.0.iter().filter_map(observation).collect()
    }

    pub(super) fn exposures(&self) -> impl Iterator<Item = Exposure> {
        self.0.iter().filter_map(|(subject, &present)| match *subject {
            Subject::RiskFactor(risk_factor) => Some(Exposure { risk_factor, present }),
            Subject::Complaint | Subject::Finding(_) => None,
        })
    }
}

/// A finding that was understood, and where it stands in the draft.
struct Understood {
    position: usize,
    id_side: (String, Option<Side>),
    present: bool,
}

impl Intake<'_> {
    /// The findings that count for the assessed side.
    pub(super) fn findings(&mut self, assessed: Option<Side>) -> Told {
        if self.draft.findings.len() > MOST_FINDINGS {
            self.violate(Location::Findings, Reason::TooManyFindings { limit: MOST_FINDINGS });
            return Told::default();
        }
        let mut seen: BTreeMap<Subject, Vec<Understood>> = BTreeMap::new();
        let mut other_side: BTreeMap<Subject, Vec<Understood>> = BTreeMap::new();
        for (position, finding) in self.draft.findings.iter().enumerate() {
            let at = Location::Finding(position, FindingField::Side);
            let accepted = "SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH";
            let side = self.choice(finding.side, at, accepted).or(assessed);
            for (subject, present) in self.finding(position, finding) {
                let id_side = (finding.id.clone(), side);
                let understood = Understood { position, id_side, present };
                let is_other = self.is_of_other_side(subject, side, assessed);
                let earlier = if is_other { &mut other_side } else { &mut seen };
                let earlier = earlier.entry(subject).or_default();
                let repeated = earlier.iter().find(|other| other.id_side == understood.id_side);
                if let Some(first) = repeated.map(|first| first.position) {
                    let at = Location::Finding(position, FindingField::Id);
                    self.violate(at, Reason::DuplicateFinding { first });
                } else {
                    earlier.push(understood);
                }
                self.facts.state(subject, side, !is_other, present);
                self.positions.entry(subject).or_insert(position);
            }
        }
        self.notice_other_side(other_side.into_keys());
        self.agreed(seen)
    }

    fn is_of_other_side(
        &self,
        subject: Subject,
        side: Option<Side>,
        assessed: Option<Side>,
    ) -> bool {
        let differs = |(side, assessed): (Side, Side)| side != Side::Both && side != assessed;
        self.knowledge.has_side(subject) && side.zip(assessed).is_some_and(differs)
    }

    fn notice_other_side(&mut self, subjects: impl Iterator<Item = Subject>) {
        let findings = subjects.filter(|subject| *subject != Subject::Complaint);
        let notice = Notice::new(
            "OTHER_SIDE_NOT_USED",
            "These findings are of the other side: no likelihood uses them, red flags and instruments do.",
        )
        .about(findings.map(|subject| self.knowledge.id(subject)));
        if !notice.subjects.is_empty() {
            self.notices.push(notice);
        }
    }

    /// One value for each subject. The same finding may come under several ids or sides as long as they agree.
    fn agreed(&mut self, seen: BTreeMap<Subject, Vec<Understood>>) -> Told {
        let mut told = Told::default();
        for (subject, understood) in seen {
            let Some(first) = understood.first() else { continue };
            for other in understood.iter().filter(|other| other.present != first.present) {
                let at = Location::Finding(other.position, FindingField::Value);
                self.violate(at, Reason::ContradictingFinding { first: first.position });
            }
            told.0.insert(subject, first.present);
        }
        told
    }

    /// What one finding says: of each subject whether it is present.
    fn finding(&mut self, position: usize, finding: &DraftFinding) -> Vec<(Subject, bool)> {
        let knowledge = self.knowledge;
        let at = Location::Finding(position, FindingField::Value);
        match (knowledge.terms.get(&finding.id), &finding.value) {
            (None, _) => self.unknown_id(position, &finding.id),
            (Some(_), None) => self.violate(at, Reason::MissingValue),
            (Some(Term::YesNo(subject)), Some(Value::YesNo(present))) => {
                return vec![(*subject, *present)];
            }
            (Some(Term::YesNo(subject)), Some(Value::Quantity { .. })) => {
                let measured_id = knowledge.measure(*subject).map(|measure| measure.id.clone());
                self.violate(at, Reason::ExpectedYesNo { measured_id });
            }
            (Some(Term::Measured(subjects)), Some(value)) => {
                let measures = subjects
                    .iter()
                    .filter_map(|&subject| Some((subject, knowledge.measure(subject)?)));
                let measures: Vec<(Subject, &Measure)> = measures.collect();
                return self.measured(position, &measures, value);
            }
        }
        Vec::new()
    }

    /// What a value says of each subject that is measured by it; their measures share unit and range.
    fn measured(
        &mut self,
        position: usize,
        measures: &[(Subject, &Measure)],
        value: &Value,
    ) -> Vec<(Subject, bool)> {
        let Some((subject, shared)) = measures.first() else { return Vec::new() };
        match value {
            Value::YesNo(_) => {
                let (unit, yes_no_id) =
                    (shared.unit.clone(), self.knowledge.id(*subject).to_owned());
                let at = Location::Finding(position, FindingField::Value);
                self.violate(at, Reason::ExpectedQuantity { unit, yes_no_id });
            }
            Value::Quantity { value, unit } if self.is_sound(position, *value, unit, shared) => {
                let met = |measure: &Measure| measure.present.is_met_by(*value);
                return measures.iter().map(|(subject, own)| (*subject, met(own))).collect();
            }
            Value::Quantity { .. } => {}
        }
        Vec::new()
    }

    fn is_sound(&mut self, position: usize, value: f64, unit: &str, measure: &Measure) -> bool {
        let before = self.violations.len();
        if unit != measure.unit {
            let expected = measure.unit.clone();
            let at = Location::Finding(position, FindingField::QuantityUnit);
            self.violate(at, Reason::WrongUnit { expected });
        }
        let (minimum, maximum) = measure.range;
        if !(minimum..=maximum).contains(&value) {
            let at = Location::Finding(position, FindingField::QuantityValue);
            let reason = if value.is_finite() {
                Reason::OutOfRange { minimum, maximum }
            } else {
                Reason::NotFinite
            };
            self.violate(at, reason);
        }
        self.violations.len() == before
    }

    fn unknown_id(&mut self, position: usize, id: &str) {
        let derived = |factor: &&RiskFactor| factor.derived.is_some();
        let mut factors = self.knowledge.risk_factors.iter().filter(derived);
        let reason = if factors.any(|factor| factor.id == id) {
            Reason::DerivedRiskFactor
        } else if !is_plain_id(id) {
            Reason::MalformedId
        } else {
            let known = self.knowledge.terms.keys().map(String::as_str);
            Reason::UnknownFinding { nearest: nearest(id, known) }
        };
        self.violate(Location::Finding(position, FindingField::Id), reason);
    }
}
