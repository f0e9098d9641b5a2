//! From a request to its response: parse, validate, assess, render. A pure function, used by the service and the command
//! line alike.

use std::fmt;

use prost::Message as _;

use crate::{engine, intake};

use super::models::{Loaded, Models};
use super::status::{self, Fault};
use super::{parse, pb, render};

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
    let loaded = models.select(asked_version(&request)).ok_or_else(|| {
        let unknown = status::unknown_model(models);
        Refused::because(format!("options.model_version: {}", unknown.message()))
    })?;
    Ok(answer(loaded, request)?.encode_to_vec())
}

/// Answers a request with a model, or says why it is not answered.
pub(super) fn answer(
    loaded: &Loaded,
    request: pb::ScoreFindingsRequest,
) -> Result<pb::ScoreFindingsResponse, intake::Rejected> {
    let draft = parse::draft(request);
    let accepted = intake::case(&draft, loaded.model.knowledge(), loaded.default_setting)?;
    let assessment = engine::assess(&loaded.model, &accepted.case);
    Ok(render::response(&loaded.model, draft.assessment_id, &accepted.notices, &assessment))
}

/// The version a request asks for; empty for the default.
pub(super) fn asked_version(request: &pb::ScoreFindingsRequest) -> &str {
    request.options.as_ref().map_or("", |options| &options.model_version)
}
