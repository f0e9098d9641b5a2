//! From a request to its response: parse, validate, assess, render. A pure function, used by the service and the command
//! line alike.

use std::fmt;

use prost::Message as _;

use crate::intake::Draft;
use crate::{advice, intake};

use super::models::{Loaded, Models};
use super::status::{self, Fault};
use super::{next_steps, parse, pb, render, rulebook};

/// Why a request without a server was not answered, one reason a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Refused(pub Vec<String>);

impl Refused {
    /// A single reason.
    pub fn because(reason: impl fmt::Display) -> Self {
        Self(vec![reason.to_string()])
    }
}

impl From<intake::Rejected> for Refused {
    fn from(rejected: intake::Rejected) -> Self {
        match &rejected {
            intake::Rejected::Invalid(violations) => {
                let line = |fault: Fault| format!("{}: {}", fault.field, fault.description);
                Self(violations.iter().map(Fault::from).map(line).collect())
            }
            intake::Rejected::OutOfScope => Self::because(format!(
                "assessment.patient.age_years: {}",
                status::rejected(&rejected).message()
            )),
        }
    }
}

/// Answers an encoded `ScoreFindingsRequest` with an encoded `ScoreFindingsResponse`, without a server.
///
/// # Errors
/// [`Refused`] with everything that is wrong, as `field: reason`.
pub fn answer_encoded(models: &Models, request: &[u8]) -> Result<Vec<u8>, Refused> {
    let request = pb::ScoreFindingsRequest::decode(request).map_err(Refused::because)?;
    let loaded = models.select(asked_version(request.options.as_ref())).ok_or_else(|| {
        let unknown = status::unknown_model(models);
        Refused::because(format!("options.model_version: {}", unknown.message()))
    })?;
    Ok(score(loaded, request)?.encode_to_vec())
}

/// Scores a request with a model, or says why it is not answered.
pub(super) fn score(
    loaded: &Loaded,
    request: pb::ScoreFindingsRequest,
) -> Result<pb::ScoreFindingsResponse, intake::Rejected> {
    let Loaded { model, rules, default_setting } = loaded;
    let draft = parse::draft(request.assessment, request.options);
    let accepted = intake::case(&draft, rules, *default_setting)?;
    let answer = advice::answer(model, rules, &accepted);
    Ok(render::response(rules, draft.assessment_id, &answer))
}

/// Says what to examine next, or why it does not.
pub(super) fn suggest(
    loaded: &Loaded,
    request: pb::SuggestFindingsRequest,
) -> Result<pb::SuggestFindingsResponse, intake::Rejected> {
    let Loaded { model, rules, default_setting } = loaded;
    let draft = parse::draft(request.assessment, request.options);
    let draft = Draft { max_effort: request.max_effort, ..draft };
    let accepted = intake::case(&draft, rules, *default_setting)?;
    let safety = rules.safety(&accepted.facts);
    let suggestions = advice::suggest(model, rules, &accepted, &safety);
    let mut notices = accepted.notices;
    notices.extend(rules.notices(&accepted.facts, &safety));
    Ok(pb::SuggestFindingsResponse {
        assessment_id: draft.assessment_id,
        model: Some(render::model_version(&rules.knowledge)),
        setting: rules.knowledge.settings[accepted.case.setting].id.clone(),
        red_flags: safety.fired.iter().map(|flag| rulebook::red_flag(rules, flag)).collect(),
        red_flag_questions: rulebook::questions(rules, &safety),
        suggestions: next_steps::suggestions(rules, &suggestions),
        stop: Some(next_steps::stop(&suggestions)),
        notices: notices.iter().map(render::notice).collect(),
    })
}

/// The version that options ask for; empty for the default.
pub(super) fn asked_version(options: Option<&pb::ScoreOptions>) -> &str {
    options.map_or("", |options| &options.model_version)
}
