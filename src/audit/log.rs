//! The file of the audit log and the thread that appends to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use super::{Unwritten, WAITING};

/// A line, and who waits for it.
pub(super) type Waiting = (String, oneshot::Sender<Result<(), Unwritten>>);

/// The file, open for appending and locked.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    is_synced: bool,
}

impl Log {
    pub(super) fn open(path: &Path, is_synced: bool) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: open(path)?, is_synced })
    }

    /// Writes lines as they come; those that wait together are written, and brought to the disk, together.
    pub(super) fn write(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, WAITING) > 0 {
            let text: String = batch.iter().flat_map(|(line, _)| [line.as_str(), "\n"]).collect();
            let written = self.append(&text);
            if let Err(error) = &written {
                let log = self.path.display();
                tracing::error!(%error, %log, "the audit log cannot be written: calls are refused until it can");
            }
            let outcome = written.map_err(|_| Unwritten);
            for (_, done) in batch.drain(..) {
                // A caller that has gone needs no word.
                done.send(outcome).ok();
            }
        }
    }

    /// All of a text or nothing of it: half a line would spoil the one after.
    fn append(&mut self, text: &str) -> io::Result<()> {
        // Who rotates the log moves it away, and the next line begins a new one.
        if !self.is_in_place() {
            self.file = open(&self.path)?;
        }
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(text.as_bytes());
        let written =
            written.and_then(|()| if self.is_synced { self.file.sync_data() } else { Ok(()) });
        if written.is_err() {
            self.file.set_len(before).ok();
        }
        written
    }

    fn is_in_place(&self) -> bool {
        let own = self.file.metadata().map(|own| (own.dev(), own.ino()));
        let there = fs::metadata(&self.path).map(|there| (there.dev(), there.ino()));
        matches!((own, there), (Ok(own), Ok(there)) if own == there)
    }
}

/// Opens a log to append to it. A line that a power cut left half written is ended, so that the next one stands alone.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => {
            io::Error::other("another process writes this log; each replica needs its own")
        }
    })?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}
