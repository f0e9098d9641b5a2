//! The audit log: one line of JSON for every answered call of a known caller, written before the answer.
//!
//! It says who called what, with which outcome and by which knowledge base, and holds no clinical value. The request stands in it as a
//! keyed code (HMAC-SHA-256), since a plain digest of a few findings could be guessed back. Where a line cannot be written, there is
//! no answer: a gap would be silent.

mod code;
mod log;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tonic::Code;

use crate::telemetry::{self, Metrics};

use code::Key;
use log::{Log, Waiting};

pub use code::{Coded, RequestCode};

/// Lines that may wait for the disk: more than calls can be in flight.
const WAITING: usize = 4096;
/// Longest time for a line to be written: a disk that hangs is as good as none.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How long after a lost line the log is held to be unwell.
const DOUBT: Duration = Duration::from_secs(10);

/// Where the audit log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFiles {
    /// The log; it is only ever appended to.
    pub log: PathBuf,
    /// File with the key of the request codes, 32 bytes or more.
    pub key: PathBuf,
    /// Whether a line is on the disk, not just with the system, before the answer.
    pub is_synced: bool,
}

/// Why there is no audit log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The key cannot be read.
    #[error("audit.key: {}: {}", .0.display(), .1)]
    Key(PathBuf, io::Error),
    /// The key is too short.
    #[error("audit.key: {} holds {} bytes, and a key has 32 or more", .0.display(), .1)]
    ShortKey(PathBuf, usize),
    /// The log cannot be opened.
    #[error("audit.log: {}: {}", .0.display(), .1)]
    Log(PathBuf, io::Error),
}

/// A line could not be written: the call must not be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written")]
pub struct Unwritten;

/// Digest of the knowledge base that answered; an extension of a response.
#[derive(Debug, Clone)]
pub struct AnsweredBy(pub String);

/// The audit log. Its clones write to the same file.
#[derive(Debug, Clone)]
pub struct Audit {
    key: Arc<Key>,
    lines: mpsc::Sender<Waiting>,
    /// When a line was last lost, unless one was written since.
    lost: Arc<Mutex<Option<Instant>>>,
}

impl Audit {
    /// Opens the log and starts the thread that writes it.
    ///
    /// # Errors
    /// [`AuditError`] names the file and what is wrong with it.
    pub fn open(files: &AuditFiles) -> Result<Self, AuditError> {
        let key = Key::read(&files.key)?;
        let fault = |error| AuditError::Log(files.log.clone(), error);
        let log = Log::open(&files.log, files.is_synced).map_err(fault)?;
        let (lines, waiting) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("audit".to_owned());
        thread.spawn(move || log.write(waiting)).map_err(fault)?;
        Ok(Self { key: Arc::new(key), lines, lost: Arc::default() })
    }

    /// Checks the key and whether the log's folder is there, and creates nothing.
    ///
    /// # Errors
    /// [`AuditError`] names the file and what is wrong with it.
    pub fn check(files: &AuditFiles) -> Result<(), AuditError> {
        Key::read(&files.key)?;
        let folder = files.log.parent().filter(|folder| !folder.as_os_str().is_empty());
        let found = folder.map_or(Ok(()), |folder| std::fs::metadata(folder).map(drop));
        found.map_err(|error| AuditError::Log(files.log.clone(), error))
    }

    async fn append(&self, line: serde_json::Result<String>) -> Result<(), Unwritten> {
        let line = line.map_err(|_| Unwritten)?;
        let (done, written) = oneshot::channel();
        let writing = async {
            self.lines.send((line, done)).await.map_err(|_| Unwritten)?;
            written.await.map_err(|_| Unwritten)?
        };
        let written = timeout(TIME_LIMIT, writing).await.unwrap_or(Err(Unwritten));
        *self.lost() = written.err().map(|_| Instant::now());
        written
    }

    /// Whether lines can be written, as far as is known. Some time after a loss it is taken to be so, since only a call can tell.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.lost().is_none_or(|lost| DOUBT < lost.elapsed())
    }

    fn lost(&self) -> MutexGuard<'_, Option<Instant>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The audit log as one call sees it; an extension of its request.
#[derive(Debug, Clone)]
pub struct Trail {
    audit: Audit,
    request_id: String,
    /// Name of the caller, once it is known.
    caller: Arc<OnceLock<String>>,
    metrics: Metrics,
}

#[derive(Serialize)]
struct Line<'l> {
    /// Milliseconds since 1970.
    time_ms: u128,
    /// Name of the caller; empty where nobody is asked for.
    caller: &'l str,
    /// Path of the method.
    method: &'l str,
    /// The request's id, as in the log of requests.
    request_id: &'l str,
    /// Digest of the knowledge base that answered; empty for a call that got that far with none.
    model_digest: &'l str,
    /// Status, as gRPC names it.
    code: &'l str,
    /// Keyed code of the request's bytes.
    request: String,
}

impl Trail {
    /// The log, for a request of this id.
    #[must_use]
    pub fn new(audit: Audit, request_id: String, metrics: Metrics) -> Self {
        Self { audit, request_id, caller: Arc::default(), metrics }
    }

    /// Names the caller.
    pub fn called_by(&self, name: &str) {
        self.caller.get_or_init(|| name.to_owned());
    }

    /// Begins the code of a request whose bytes come bit by bit.
    #[must_use]
    pub fn code(&self) -> RequestCode {
        self.audit.key.code()
    }

    /// Writes a line, and returns when it is written.
    ///
    /// # Errors
    /// [`Unwritten`]: the caller must get no answer.
    pub async fn write(
        &self,
        method: &str,
        model_digest: &str,
        code: Code,
        request: RequestCode,
    ) -> Result<(), Unwritten> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = Line {
            time_ms: since.as_millis(),
            caller: self.caller.get().map_or("", String::as_str),
            method,
            request_id: &self.request_id,
            model_digest,
            code: telemetry::name(code),
            request: request.finish(),
        };
        let written = self.audit.append(serde_json::to_string(&line)).await;
        if written.is_err() {
            self.metrics.audit_failures.inc();
        }
        written
    }
}
