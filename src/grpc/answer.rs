//! From a request to its response: parse, validate, assess, render. A pure function, used by the service and the command
//! line alike.

use crate::{engine, intake};

use super::models::Loaded;
use super::{parse, pb, render};

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
