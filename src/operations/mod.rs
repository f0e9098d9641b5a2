//! What keeps a server going: the parts it answers by, the files that are read again while it runs, the admin port, signals.

pub(crate) mod admin;
mod reload;
mod signals;

use std::sync::Arc;

use crate::access::Access;
use crate::audit::Audit;
use crate::grpc::Live;
use crate::telemetry::Metrics;
use crate::transport::Tls;

pub use reload::{ReadModels, Reload};
pub use signals::Signals;

/// What a server answers by.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The models.
    pub live: Arc<Live>,
    /// Encryption; `None` for plaintext.
    pub tls: Option<Arc<Tls>>,
    /// Who may call; `None` for everybody.
    pub access: Option<Arc<Access>>,
    /// Where calls are recorded; `None` for nowhere.
    pub audit: Option<Audit>,
    /// What is counted.
    pub metrics: Metrics,
}

impl Parts {
    /// Shows in the metrics which knowledge bases answer and when the certificate ends.
    pub(crate) fn show(&self) {
        self.metrics.knows(self.live.now().versions());
        self.metrics.certificate_ends.set(self.tls.as_ref().map_or(0, |tls| tls.ends()));
    }
}
