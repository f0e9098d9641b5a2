//! Validation of a draft.

use std::collections::BTreeMap;

use super::nearest::nearest;
use super::{
    Choice, Draft, DraftFinding, FindingField, Location, Reason, Side, Value, View, Violation,
};
use crate::domain::{
    AgeYears, Case, Complaint, CredibleLevel, Detail, Exposure, Notice, Observation, Sex,
};
use crate::knowledge::{Form, KnowledgeBase, Measure, RiskFactor, Term, Trigger};

/// Most findings in one draft.
const MOST_FINDINGS: usize = 256;
/// Age from which the model holds.
const ADULT_YEARS: u32 = 18;

/// An accepted draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The case for the engine.
    pub case: Case,
    /// What intake has to say beside the numbers.
    pub notices: Vec<Notice>,
}

/// Why a draft was not accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejected {
    /// Everything that is wrong, in the order of the locations.
    Invalid(Vec<Violation>),
    /// The patient is under 18 and the caller did not accept an answer outside the scope.
    OutOfScope,
}

/// Turns a draft into a case. `default_setting` is the index of the setting to use when the draft names none.
///
/// # Errors
/// [`Rejected::Invalid`] with every violation at once; else [`Rejected::OutOfScope`] for a patient under 18.
pub fn case(
    draft: &Draft,
    knowledge: &KnowledgeBase,
    default_setting: usize,
) -> Result<Accepted, Rejected> {
    let mut intake = Intake { draft, knowledge, violations: Vec::new(), notices: Vec::new() };
    intake.assessment();
    let age = intake.age();
    let sex = intake.choice(draft.sex, Location::Sex, "SEX_FEMALE, SEX_MALE");
    let side = intake.side();
    let setting = intake.setting(default_setting);
    let level = intake.level();
    let view = intake.choice(draft.view, Location::View, "VIEW_BASIC, VIEW_FULL");
    let told = intake.findings(side);
    let Intake { mut violations, mut notices, .. } = intake;
    if !violations.is_empty() {
        violations.sort_by_key(|violation| violation.location);
        return Err(Rejected::Invalid(violations));
    }
    if age.is_some_and(|age| age.get() < ADULT_YEARS) {
        if !draft.accept_out_of_scope {
            return Err(Rejected::OutOfScope);
        }
        notices.push(Notice::OutOfScopeAccepted);
    }
    let complaint = complaint(&told, &mut notices);
    let mut exposures = derived(knowledge, age, sex);
    exposures.extend(told.exposures());
    exposures.sort_by_key(|exposure| exposure.risk_factor);
    let case = Case {
        setting,
        complaint,
        age,
        observations: told.observations(),
        exposures,
        level,
        detail: match view {
            Some(View::Full) => Detail::Full,
            Some(View::Basic) | None => Detail::Basic,
        },
    };
    Ok(Accepted { case, notices })
}

/// What was told and is used, by term; each term stands once.
#[derive(Default)]
struct Told(BTreeMap<Subject, bool>);

/// What a term is about, whatever the id and form it was sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Complaint,
    Finding(usize),
    RiskFactor(usize),
}

impl Told {
    fn observations(&self) -> Vec<Observation> {
        let observation = |(subject, &present): (&Subject, &bool)| match *subject {
            Subject::Finding(finding) => Some(Observation { finding, present }),
            Subject::Complaint | Subject::RiskFactor(_) => None,
        };
        self.0.iter().filter_map(observation).collect()
    }

    fn exposures(&self) -> impl Iterator<Item = Exposure> {
        self.0.iter().filter_map(|(subject, &present)| match *subject {
            Subject::RiskFactor(risk_factor) => Some(Exposure { risk_factor, present }),
            Subject::Complaint | Subject::Finding(_) => None,
        })
    }
}

fn complaint(told: &Told, notices: &mut Vec<Notice>) -> Complaint {
    match told.0.get(&Subject::Complaint) {
        Some(true) => Complaint::Present,
        Some(false) => {
            notices.push(Notice::HeelPainAbsent);
            Complaint::Absent
        }
        None => {
            notices.push(Notice::HeelPainAssumed);
            Complaint::Present
        }
    }
}

/// Risk factors that follow from the patient.
fn derived(knowledge: &KnowledgeBase, age: Option<AgeYears>, sex: Option<Sex>) -> Vec<Exposure> {
    let factors = knowledge.risk_factors.iter().enumerate();
    let exposure = |risk_factor, present| Exposure { risk_factor, present };
    factors
        .filter_map(|(position, factor)| match factor.derived? {
            Trigger::Age(from, to) => {
                age.map(|age| exposure(position, (from..=to).contains(&age.get())))
            }
            Trigger::Sex(of) => sex.map(|sex| exposure(position, sex == of)),
        })
        .collect()
}

/// A draft under validation.
struct Intake<'a> {
    draft: &'a Draft,
    knowledge: &'a KnowledgeBase,
    violations: Vec<Violation>,
    notices: Vec<Notice>,
}

/// A finding that was understood, and where it stands in the draft.
struct Understood {
    position: usize,
    id_side: (String, Option<Side>),
    present: bool,
}

impl Intake<'_> {
    fn violate(&mut self, location: Location, reason: Reason) {
        self.violations.push(Violation { location, reason });
    }

    fn assessment(&mut self) {
        if !self.draft.has_assessment {
            self.violate(Location::Assessment, Reason::Missing);
        }
        let id = &self.draft.assessment_id;
        if !id.is_empty() && !is_plain_id(id) {
            self.violate(Location::AssessmentId, Reason::MalformedId);
        }
    }

    fn age(&mut self) -> Option<AgeYears> {
        let age = self.draft.age_years?;
        let valid = AgeYears::new(age);
        if valid.is_none() {
            let (minimum, maximum) = AgeYears::RANGE;
            let (minimum, maximum) = (f64::from(minimum), f64::from(maximum));
            self.violate(Location::Age, Reason::OutOfRange { minimum, maximum });
        }
        valid
    }

    fn choice<T>(&mut self, choice: Choice<T>, at: Location, accepted: &'static str) -> Option<T> {
        match choice {
            Choice::Unset => None,
            Choice::Known(value) => Some(value),
            Choice::Unknown(_) => {
                self.violate(at, Reason::UnknownEnumValue { accepted });
                None
            }
        }
    }

    fn side(&mut self) -> Option<Side> {
        let accepted = "SIDE_LEFT, SIDE_RIGHT";
        let side = self.choice(self.draft.side, Location::Side, accepted);
        if side == Some(Side::Both) {
            self.violate(Location::Side, Reason::UnknownEnumValue { accepted });
        }
        side
    }

    fn setting(&mut self, default: usize) -> usize {
        let wanted = &self.draft.setting;
        if wanted.is_empty() {
            return default;
        }
        let settings = &self.knowledge.settings;
        let found = settings.iter().position(|setting| setting.id == *wanted);
        found.unwrap_or_else(|| {
            let known = settings.iter().map(|setting| setting.id.clone()).collect();
            self.violate(Location::Setting, Reason::UnknownSetting { known });
            default
        })
    }

    fn level(&mut self) -> CredibleLevel {
        let Some(level) = self.draft.credible_level else { return CredibleLevel::default() };
        CredibleLevel::new(level).unwrap_or_else(|| {
            let (lower, upper) = CredibleLevel::BOUNDS;
            self.violate(Location::CredibleLevel, Reason::OutsideOpenRange { lower, upper });
            CredibleLevel::default()
        })
    }

    /// The findings that count for the assessed side.
    fn findings(&mut self, assessed: Option<Side>) -> Told {
        if self.draft.findings.len() > MOST_FINDINGS {
            self.violate(Location::Findings, Reason::TooManyFindings { limit: MOST_FINDINGS });
            return Told::default();
        }
        let mut seen: BTreeMap<Subject, Vec<Understood>> = BTreeMap::new();
        let mut other_side: BTreeMap<Subject, Vec<Understood>> = BTreeMap::new();
        for (position, finding) in self.draft.findings.iter().enumerate() {
            let Some((subject, present)) = self.finding(position, finding) else { continue };
            let at = Location::Finding(position, FindingField::Side);
            let accepted = "SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH";
            let side = self.choice(finding.side, at, accepted).or(assessed);
            let understood = Understood { position, id_side: (finding.id.clone(), side), present };
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
        let has_side = match subject {
            Subject::Finding(finding) => self.knowledge.findings[finding].has_side,
            Subject::Complaint => self.knowledge.complaint.has_side,
            Subject::RiskFactor(_) => false,
        };
        let differs = |(side, assessed): (Side, Side)| side != Side::Both && side != assessed;
        has_side && side.zip(assessed).is_some_and(differs)
    }

    fn notice_other_side(&mut self, subjects: impl Iterator<Item = Subject>) {
        let finding = |subject: Subject| match subject {
            Subject::Finding(finding) => Some(finding),
            Subject::Complaint | Subject::RiskFactor(_) => None,
        };
        let findings: Vec<usize> = subjects.filter_map(finding).collect();
        if !findings.is_empty() {
            self.notices.push(Notice::OtherSideNotUsed(findings));
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

    /// What one finding is about, and whether it is present.
    fn finding(&mut self, position: usize, finding: &DraftFinding) -> Option<(Subject, bool)> {
        let knowledge = self.knowledge;
        let Some(term) = knowledge.terms.get(&finding.id) else {
            self.unknown_id(position, &finding.id);
            return None;
        };
        let (subject, id, measure, form) = match *term {
            Term::Complaint => (Subject::Complaint, &knowledge.complaint.id, None, Form::YesNo),
            Term::Finding(index, form) => {
                let known = &knowledge.findings[index];
                (Subject::Finding(index), &known.id, known.measure.as_ref(), form)
            }
            Term::RiskFactor(index, form) => {
                let known = &knowledge.risk_factors[index];
                (Subject::RiskFactor(index), &known.id, known.measure.as_ref(), form)
            }
        };
        let at = Location::Finding(position, FindingField::Value);
        match (&finding.value, form, measure) {
            (None, ..) => self.violate(at, Reason::MissingValue),
            (Some(Value::YesNo(present)), Form::YesNo, _) => return Some((subject, *present)),
            (Some(Value::Quantity { .. }), Form::YesNo, _) | (Some(_), Form::Measured, None) => {
                let measured_id = measure.map(|measure| measure.id.clone());
                self.violate(at, Reason::ExpectedYesNo { measured_id });
            }
            (Some(Value::YesNo(_)), Form::Measured, Some(measure)) => {
                let (unit, yes_no_id) = (measure.unit.clone(), id.clone());
                self.violate(at, Reason::ExpectedQuantity { unit, yes_no_id });
            }
            (Some(Value::Quantity { value, unit }), Form::Measured, Some(measure)) => {
                return self.quantity(position, *value, unit, measure).map(|met| (subject, met));
            }
        }
        None
    }

    fn quantity(
        &mut self,
        position: usize,
        value: f64,
        unit: &str,
        measure: &Measure,
    ) -> Option<bool> {
        let mut valid = true;
        if unit != measure.unit {
            let expected = measure.unit.clone();
            let at = Location::Finding(position, FindingField::QuantityUnit);
            self.violate(at, Reason::WrongUnit { expected });
            valid = false;
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
            valid = false;
        }
        valid.then(|| measure.present.is_met_by(value))
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

/// Whether an id that a caller made has the characters and length that ids have.
fn is_plain_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
}
