//! The only maker of `tonic::Status`.
//!
//! No message contains anything a caller sent: statuses end up in the logs of clients and proxies.

use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::intake::{Rejected, Violation};
use crate::workers::WorkerError;

use super::models::{Loaded, Models};
use super::parse;

const DOMAIN: &str = "heelorigin.v1";

/// Largest encoded google.rpc.Status, in bytes. C-core clients refuse trailers from 8 KiB on, and base64 adds a third.
const DETAILS_LIMIT: usize = 4096;

/// After what time a caller may find room: many times what a score takes.
const RETRY_AFTER: Duration = Duration::from_millis(500);

const NO_METADATA: [(String, String); 0] = [];

/// One thing that is wrong with a request.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Field path.
    pub(crate) field: String,
    /// Machine-readable reason.
    pub(crate) reason: &'static str,
    /// What is wrong and what to do about it.
    pub(crate) description: String,
}

impl Fault {
    pub(crate) fn new(field: &str, reason: &'static str, description: &str) -> Self {
        Self { field: field.to_owned(), reason, description: description.to_owned() }
    }
}

impl From<&Violation> for Fault {
    fn from(violation: &Violation) -> Self {
        Self {
            field: parse::field_path(violation.location),
            reason: violation.reason.code(),
            description: violation.reason.to_string(),
        }
    }
}

/// Why an assessment was not scored.
pub(crate) fn rejected(rejected: &Rejected) -> Status {
    match rejected {
        Rejected::Invalid(violations) => {
            invalid(&violations.iter().map(Fault::from).collect::<Vec<_>>())
        }
        Rejected::OutOfScope => with_info(
            Code::FailedPrecondition,
            "PATIENT_OUT_OF_SCOPE",
            "the model is for patients of 18 years or older; set options.accept_out_of_scope to be answered nevertheless",
        ),
    }
}

/// `INVALID_ARGUMENT` with as many faults as fit; the number left out stands in `ErrorInfo`.
pub(crate) fn invalid(faults: &[Fault]) -> Status {
    let fits = |listed: usize| invalid_listing(faults, listed).details().len() <= DETAILS_LIMIT;
    if fits(faults.len()) {
        return invalid_listing(faults, faults.len());
    }
    let (mut most, mut too_many) = (0, faults.len());
    while too_many - most > 1 {
        let middle = most.midpoint(too_many);
        if fits(middle) {
            most = middle;
        } else {
            too_many = middle;
        }
    }
    invalid_listing(faults, most)
}

fn invalid_listing(faults: &[Fault], listed: usize) -> Status {
    let violations = faults.iter().take(listed).map(|fault| FieldViolation {
        field: fault.field.clone(),
        description: fault.description.clone(),
        reason: fault.reason.to_owned(),
        localized_message: None,
    });
    let leading = faults.first().map_or("INVALID", |fault| fault.reason);
    let mut details = ErrorDetails::new();
    if listed < faults.len() {
        let omitted = (faults.len() - listed).to_string();
        details.set_error_info(leading, DOMAIN, [("violations_omitted".to_owned(), omitted)]);
    } else {
        details.set_error_info(leading, DOMAIN, NO_METADATA);
    }
    details.set_bad_request(violations.collect::<Vec<_>>());
    Status::with_error_details(Code::InvalidArgument, invalid_message(faults), details)
}

/// Many clients show the message only, so it holds the first fault.
fn invalid_message(faults: &[Fault]) -> String {
    let first = faults.first().map(|fault| format!("{}: {}", fault.field, fault.description));
    let first = first.unwrap_or_default();
    match faults.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more, see google.rpc.BadRequest)", count - 1),
    }
}

/// No model of the version that was asked for is loaded.
pub(crate) fn unknown_model(models: &Models) -> Status {
    let versions: Vec<&str> = models.all().map(Loaded::version).collect();
    let message = format!(
        "no loaded model has the version in model_version; loaded: {}",
        versions.join(", ")
    );
    with_info(Code::NotFound, "MODEL_VERSION_NOT_FOUND", &message)
}

/// No finding of the id that was asked for.
pub(crate) fn unknown_finding() -> Status {
    with_info(Code::NotFound, "FINDING_NOT_FOUND", "no finding has this id; ListFindings names all")
}

/// No condition of the id that was asked for.
pub(crate) fn unknown_condition() -> Status {
    with_info(
        Code::NotFound,
        "CONDITION_NOT_FOUND",
        "no condition has this id; ListConditions names all",
    )
}

/// Nobody that is known calls. Why is not told: it would help to guess.
pub(crate) fn unauthenticated() -> Status {
    with_info(Code::Unauthenticated, "UNAUTHENTICATED", "no valid certificate or token was shown")
}

/// The request is compressed.
pub(crate) fn compressed() -> Status {
    with_info(
        Code::Unimplemented,
        "COMPRESSION_UNSUPPORTED",
        "compressed requests are not read; send without grpc-encoding",
    )
}

/// The caller may not call this.
pub(crate) fn permission_denied() -> Status {
    with_info(Code::PermissionDenied, "PERMISSION_DENIED", "this caller may not call this method")
}

/// The audit log could not be written, so nothing may be answered.
pub(crate) fn unaudited() -> Status {
    with_info(Code::Unavailable, "AUDIT_UNAVAILABLE", "the call could not be recorded; try again")
}

/// The connection of a stream is to end.
pub(crate) fn ending() -> Status {
    with_info(
        Code::Unavailable,
        "CONNECTION_ENDING",
        "this connection ends; send what was not answered over another one",
    )
}

/// The time limit of the server or of the caller passed.
pub(crate) fn deadline_exceeded() -> Status {
    with_info(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the request was not answered within its time limit",
    )
}

/// Why a job was not done.
pub(crate) fn worker(error: WorkerError) -> Status {
    match error {
        WorkerError::Overloaded => {
            exhausted("OVERLOADED", "too many requests are waiting; try again later")
        }
        WorkerError::Panicked => internal(),
    }
}

/// Too many answers wait for their caller.
pub(crate) fn untaken() -> Status {
    let message = "too many answers of this connection were not taken; read them, then try again";
    exhausted("ANSWERS_NOT_TAKEN", message)
}

fn exhausted(reason: &'static str, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, NO_METADATA);
    details.set_retry_info(Some(RETRY_AFTER));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// A status as a message, with its details.
pub(crate) fn message(status: &Status) -> tonic_types::pb::Status {
    let whole = tonic_types::pb::Status::decode(status.details()).ok();
    whole.unwrap_or_else(|| tonic_types::pb::Status {
        code: i32::from(status.code()),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}

/// A fault of this program; the cause is in the log and stays there.
pub(crate) fn internal() -> Status {
    Status::internal("internal error")
}

fn with_info(code: Code, reason: &str, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, NO_METADATA);
    Status::with_error_details(code, message, details)
}
