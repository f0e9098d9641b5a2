//! What lies around the services, outside in: the [`Trace`](crate::telemetry::Trace), [`AuditTrail`], [`catch_panic`], [`Deadline`],
//! [`Guard`]. The trail lies outside so that it records how the others end a call.
//!
//! What limits the load lies in the [`Workers`](crate::workers::Workers): a permit held by a layer would end at the head of a response.

mod audit_trail;
mod deadline;
mod guard;

use std::any::Any;

use http::Response;
use tonic::body::Body;
use tower_http::catch_panic::CatchPanicLayer;

pub use audit_trail::{AuditTrail, Audited};
pub use deadline::{Deadline, WithDeadline};
pub use guard::{Guard, Guarded};

use crate::grpc::status;

/// Turns a panic into `INTERNAL`. What the panic said is not looked at: it may hold what a caller sent.
pub type CatchPanic = CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response<Body>>;

/// The layer that turns a panic into `INTERNAL`.
#[must_use]
pub fn catch_panic() -> CatchPanic {
    CatchPanicLayer::custom(|_payload| status::internal().into_http())
}
