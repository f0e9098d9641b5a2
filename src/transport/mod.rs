//! Connections: as many as allowed, encrypted, held to a time, ended in an orderly way.
//!
//! tonic's own server spreads no ages, ends nobody who connects and stays silent, and reads its certificates once; so its routes
//! are served here by hyper, connection by connection.

mod answers;
mod connections;
mod peer;
mod tls;

pub use answers::Answers;
pub use connections::{App, Endpoint, Limits};
pub use peer::Peer;
pub use tls::{ClientCertificates, Tls, TlsError, TlsFiles};
