//! The audit log: one line of JSON for every answered call, written before the answer.
//!
//! It says who called what, with which outcome and by which knowledge base, and holds no clinical value. The request stands in it as a
//! keyed code (HMAC-SHA-256), since a plain digest of a few findings could be guessed back. Where a line cannot be written, there is
//! no answer: a gap would be silent.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use tokio::sync::{mpsc, oneshot};
use tonic::Code;

use crate::telemetry;

/// Lines that may wait for the disk: more than calls can be in flight.
const WAITING: usize = 4096;
/// Shortest key, in bytes.
const KEY_BYTES: usize = 32;

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

/// The audit log as one call sees it.
#[derive(Debug, Clone)]
pub struct Trail {
    audit: Audit,
    caller: String,
    request_id: String,
}

impl Trail {
    /// The log, for a caller and a request.
    #[must_use]
    pub const fn new(audit: Audit, caller: String, request_id: String) -> Self {
        Self { audit, caller, request_id }
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
        request: &[u8],
    ) -> Result<(), Unwritten> {
        let Self { audit, caller, request_id } = self;
        let code = telemetry::name(code);
        let entry = Entry { caller, method, request_id, model_digest, code };
        audit.write(entry, request).await
    }
}

/// What is written of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Entry<'e> {
    /// Name of the caller; empty where nobody is asked for.
    caller: &'e str,
    /// Path of the method.
    method: &'e str,
    /// The request's id, as in the log of requests.
    request_id: &'e str,
    /// Digest of the knowledge base that answered; empty for a call that needed none.
    model_digest: &'e str,
    /// Status, as gRPC names it.
    code: &'e str,
}

#[derive(Serialize)]
struct Line<'e> {
    /// Milliseconds since 1970.
    time_ms: u128,
    #[serde(flatten)]
    entry: Entry<'e>,
    /// Keyed code of the request's bytes.
    request: String,
}

/// The audit log. Its clones write to the same file.
#[derive(Debug, Clone)]
pub struct Audit {
    key: Arc<Key>,
    lines: mpsc::Sender<Waiting>,
}

/// No `Debug` of what it holds.
struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

type Waiting = (String, oneshot::Sender<Result<(), Unwritten>>);

impl Audit {
    /// Opens the log and starts the thread that writes it.
    ///
    /// # Errors
    /// [`AuditError`] names the file and what is wrong with it.
    pub fn open(files: &AuditFiles) -> Result<Self, AuditError> {
        let key =
            std::fs::read(&files.key).map_err(|error| AuditError::Key(files.key.clone(), error))?;
        if key.len() < KEY_BYTES {
            return Err(AuditError::ShortKey(files.key.clone(), key.len()));
        }
        let log = |error| AuditError::Log(files.log.clone(), error);
        let file = open(&files.log).map_err(log)?;
        let (lines, waiting) = mpsc::channel(WAITING);
        let is_synced = files.is_synced;
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write(file, is_synced, waiting))
            .map_err(log)?;
        Ok(Self { key: Arc::new(Key(key)), lines })
    }

    async fn write(&self, entry: Entry<'_>, request: &[u8]) -> Result<(), Unwritten> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let line = Line { time_ms: since.as_millis(), entry, request: self.code(request) };
        let line = serde_json::to_string(&line).map_err(|_| Unwritten)?;
        let (done, written) = oneshot::channel();
        self.lines.send((line, done)).await.map_err(|_| Unwritten)?;
        written.await.map_err(|_| Unwritten)?
    }

    fn code(&self, request: &[u8]) -> String {
        // A key of any length is accepted.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else { return String::new() };
        mac.update(request);
        let code = mac.finalize().into_bytes();
        code.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Writes lines as they come; those that wait together are written, and brought to the disk, together.
fn write(mut file: File, is_synced: bool, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while waiting.blocking_recv_many(&mut batch, WAITING) > 0 {
        let mut text = String::new();
        for (line, _) in &batch {
            text.push_str(line);
            text.push('\n');
        }
        let written = append(&mut file, is_synced, &text);
        if let Err(error) = &written {
            tracing::error!(%error, "the audit log cannot be written: calls are refused");
        }
        let outcome = written.map_err(|_| Unwritten);
        for (_, done) in batch.drain(..) {
            // A caller that has gone needs no word.
            done.send(outcome).ok();
        }
    }
}

/// All of a text or nothing of it: half a line would spoil the one after.
fn append(file: &mut File, is_synced: bool, text: &str) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = file.write_all(text.as_bytes());
    let written = written.and_then(|()| if is_synced { file.sync_data() } else { Ok(()) });
    if written.is_err() {
        file.set_len(before).ok();
    }
    written
}
