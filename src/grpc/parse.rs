//! From the contract to the inner layers: a request becomes an [`Draft`], a location its field path.

use crate::domain::{Sex, Side};
use crate::intake::{
    self, Choice, Consistency, Draft, DraftFinding, FindingField, Location, Value, View,
};

use super::pb;

/// The draft of a request; nothing is judged here.
pub(super) fn draft(
    assessment: Option<pb::Assessment>,
    options: Option<pb::ScoreOptions>,
) -> Draft {
    let has_assessment = assessment.is_some();
    let assessment = assessment.unwrap_or_default();
    let patient = assessment.patient.unwrap_or_default();
    let options = options.unwrap_or_default();
    Draft {
        has_assessment,
        assessment_id: assessment.assessment_id,
        age_years: patient.age_years,
        sex: choice(patient.sex, sex),
        side: choice(assessment.side, side),
        findings: assessment.findings.into_iter().map(finding).collect(),
        setting: assessment.setting,
        credible_level: options.credible_level,
        view: choice(options.view, view),
        accept_out_of_scope: options.accept_out_of_scope,
        consistency: choice(options.consistency, consistency),
        max_suggestions: options.max_suggestions,
        max_effort: String::new(),
    }
}

/// An id of an assessment, or none in place of a malformed one.
pub(super) fn well_formed(id: String) -> String {
    if intake::is_plain_id(&id) { id } else { String::new() }
}

/// Field path of a location, as `google.rpc.BadRequest` wants it.
pub(super) fn field_path(location: Location) -> String {
    let path = match location {
        Location::Assessment => "assessment",
        Location::AssessmentId => "assessment.assessment_id",
        Location::Age => "assessment.patient.age_years",
        Location::Sex => "assessment.patient.sex",
        Location::Side => "assessment.side",
        Location::Findings => "assessment.findings",
        Location::Finding(position, field) => {
            return format!("assessment.findings[{position}].{}", finding_field(field));
        }
        Location::Setting => "assessment.setting",
        Location::CredibleLevel => "options.credible_level",
        Location::View => "options.view",
        Location::Consistency => "options.consistency",
        Location::MaxSuggestions => "options.max_suggestions",
        Location::MaxEffort => "max_effort",
    };
    path.to_owned()
}

const fn finding_field(field: FindingField) -> &'static str {
    match field {
        FindingField::Id => "id",
        FindingField::Value => "value",
        FindingField::QuantityValue => "quantity.value",
        FindingField::QuantityUnit => "quantity.unit",
        FindingField::Side => "side",
    }
}

fn finding(finding: pb::Finding) -> DraftFinding {
    let value = finding.value.map(|value| match value {
        pb::finding::Value::Present(present) => Value::YesNo(present),
        pb::finding::Value::Quantity(quantity) => {
            Value::Quantity { value: quantity.value, unit: quantity.unit }
        }
    });
    DraftFinding { id: finding.id, value, side: choice(finding.side, side) }
}

/// Reads an enum number. The generated accessor would turn an unknown number into "unspecified" in silence.
fn choice<P: TryFrom<i32>, T>(number: i32, known: impl Fn(P) -> Option<T>) -> Choice<T> {
    P::try_from(number)
        .map_or(Choice::Unknown(number), |value| known(value).map_or(Choice::Unset, Choice::Known))
}

fn sex(sex: pb::Sex) -> Option<Sex> {
    match sex {
        pb::Sex::Unspecified => None,
        pb::Sex::Female => Some(Sex::Female),
        pb::Sex::Male => Some(Sex::Male),
    }
}

fn side(side: pb::Side) -> Option<Side> {
    match side {
        pb::Side::Unspecified => None,
        pb::Side::Left => Some(Side::Left),
        pb::Side::Right => Some(Side::Right),
        pb::Side::Both => Some(Side::Both),
    }
}

fn view(view: pb::View) -> Option<View> {
    match view {
        pb::View::Unspecified => None,
        pb::View::Basic => Some(View::Basic),
        pb::View::Full => Some(View::Full),
    }
}

fn consistency(consistency: pb::Consistency) -> Option<Consistency> {
    match consistency {
        pb::Consistency::Unspecified => None,
        pb::Consistency::Lenient => Some(Consistency::Lenient),
        pb::Consistency::Strict => Some(Consistency::Strict),
    }
}
