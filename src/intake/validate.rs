//! Validation of a draft.

use std::collections::BTreeMap;

use super::findings::Told;
use super::{Choice, Consistency, Draft, FindingField, Location, Reason, View, Violation};
use crate::domain::{
    AgeYears, Case, Complaint, CredibleLevel, Detail, Exposure, Notice, Sex, Side,
};
use crate::knowledge::{Effort, KnowledgeBase, Subject, Trigger};
use crate::rules::{Facts, Rules};

/// Findings suggested when nothing is said, and most that may be asked for.
const SUGGESTIONS: u32 = 5;
const MOST_SUGGESTIONS: u32 = 50;
/// Age from which the model holds.
const ADULT_YEARS: u32 = 18;

/// An accepted draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The case for the engine.
    pub case: Case,
    /// Everything that was stated, of whatever side, for the rules.
    pub facts: Facts,
    /// Most findings to suggest.
    pub max_suggestions: usize,
    /// Greatest effort to suggest.
    pub max_effort: Effort,
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
pub fn case(draft: &Draft, rules: &Rules, default_setting: usize) -> Result<Accepted, Rejected> {
    let knowledge = &*rules.knowledge;
    let mut intake = Intake {
        draft,
        knowledge,
        facts: Facts::default(),
        positions: BTreeMap::new(),
        violations: Vec::new(),
        notices: Vec::new(),
    };
    intake.assessment();
    let age = intake.age();
    let sex = intake.choice(draft.sex, Location::Sex, "SEX_FEMALE, SEX_MALE");
    let side = intake.side();
    let setting = intake.setting(default_setting);
    let level = intake.level();
    let view = intake.choice(draft.view, Location::View, "VIEW_BASIC, VIEW_FULL");
    let max_suggestions = intake.max_suggestions();
    let max_effort = intake.max_effort();
    let told = intake.findings(side);
    (intake.facts.age, intake.facts.sex) = (age, sex);
    intake.contradictions(rules);
    let Intake { mut violations, mut notices, facts, .. } = intake;
    if !violations.is_empty() {
        violations.sort_by_key(|violation| violation.location);
        violations.dedup();
        return Err(Rejected::Invalid(violations));
    }
    if age.is_some_and(|age| age.get() < ADULT_YEARS) {
        if !draft.accept_out_of_scope {
            return Err(Rejected::OutOfScope);
        }
        notices.push(Notice::new(
            "PATIENT_OUT_OF_SCOPE",
            "The patient is under 18 years and the model is for adults; the caller accepted an answer outside the scope.",
        ));
    }
    let complaint = complaint(knowledge, &told, &mut notices);
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
    Ok(Accepted { case, facts, max_suggestions, max_effort, notices })
}

fn complaint(knowledge: &KnowledgeBase, told: &Told, notices: &mut Vec<Notice>) -> Complaint {
    let stated = told.0.get(&Subject::Complaint);
    let (complaint, code, message) = match stated {
        Some(true) => return Complaint::Present,
        Some(false) => (
            Complaint::Absent,
            "HEEL_PAIN_ABSENT",
            "Heel pain was sent as absent, which is outside the purpose: likelihoods are of presence and there are no weights.",
        ),
        None => (
            Complaint::Present,
            "HEEL_PAIN_ASSUMED",
            "Nothing was sent about pain of the assessed heel, so it was taken as present.",
        ),
    };
    notices.push(Notice::new(code, message).about([&knowledge.complaint.id]));
    complaint
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
pub(super) struct Intake<'a> {
    pub(super) draft: &'a Draft,
    pub(super) knowledge: &'a KnowledgeBase,
    pub(super) facts: Facts,
    /// Where each subject stands first in the draft.
    pub(super) positions: BTreeMap<Subject, usize>,
    pub(super) violations: Vec<Violation>,
    pub(super) notices: Vec<Notice>,
}

impl Intake<'_> {
    pub(super) fn violate(&mut self, location: Location, reason: Reason) {
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

    pub(super) fn choice<T>(
        &mut self,
        choice: Choice<T>,
        at: Location,
        accepted: &'static str,
    ) -> Option<T> {
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

    fn max_suggestions(&mut self) -> usize {
        let asked = self.draft.max_suggestions.unwrap_or(SUGGESTIONS);
        if asked > MOST_SUGGESTIONS {
            let (minimum, maximum) = (0.0, f64::from(MOST_SUGGESTIONS));
            self.violate(Location::MaxSuggestions, Reason::OutOfRange { minimum, maximum });
        }
        usize::try_from(asked).unwrap_or(usize::MAX)
    }

    fn max_effort(&mut self) -> Effort {
        let asked = &self.draft.max_effort;
        let found = Effort::ALL.into_iter().find(|effort| effort.id() == asked);
        if found.is_none() && !asked.is_empty() {
            self.violate(Location::MaxEffort, Reason::UnknownEffort);
        }
        found.unwrap_or(Effort::Bedside)
    }

    /// Statements that cannot hold together: violations when the caller wants them refused, else notices.
    fn contradictions(&mut self, rules: &Rules) {
        let accepted = "CONSISTENCY_LENIENT, CONSISTENCY_STRICT";
        let asked = self.choice(self.draft.consistency, Location::Consistency, accepted);
        let is_strict = asked == Some(Consistency::Strict);
        for contradiction in rules.contradictions(&self.facts) {
            let findings = contradiction.subjects.iter();
            if is_strict {
                let remedy = contradiction.rule.remedy.clone();
                let position = findings.filter_map(|subject| self.positions.get(subject)).max();
                let at = position.map_or(Location::Findings, |position| {
                    Location::Finding(*position, FindingField::Value)
                });
                self.violate(at, Reason::Contradiction { remedy });
            } else {
                let notice = Notice::new("CONTRADICTION", &contradiction.rule.remedy);
                let findings = findings.map(|subject| self.knowledge.id(*subject));
                self.notices.push(notice.about(findings));
            }
        }
    }
}

/// Whether an id that a caller made has the characters and length that ids have.
pub(crate) fn is_plain_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(is_plain)
}
