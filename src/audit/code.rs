//! Keyed codes that stand for requests.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body::{Body, Frame, SizeHint};
use sha2::Sha256;

use super::AuditError;

/// Shortest key, in bytes.
const KEY_BYTES: usize = 32;

/// The key, ready for use. No `Debug` of what it holds.
pub(super) struct Key(Hmac<Sha256>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(super) fn read(path: &Path) -> Result<Self, AuditError> {
        let key = std::fs::read(path).map_err(|error| AuditError::Key(path.into(), error))?;
        let short = AuditError::ShortKey(path.into(), key.len());
        if key.len() < KEY_BYTES {
            return Err(short);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| short)
    }

    pub(super) fn code(&self) -> RequestCode {
        RequestCode(Arc::new(Mutex::new(self.0.clone())))
    }
}

/// The code of a request while its bytes come. Clones are of the same request.
#[derive(Clone)]
pub struct RequestCode(Arc<Mutex<Hmac<Sha256>>>);

impl fmt::Debug for RequestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestCode")
    }
}

impl RequestCode {
    /// Adds bytes.
    pub fn update(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
    }

    /// The code of what came so far, in hexadecimal digits.
    pub(super) fn finish(&self) -> String {
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        format!("{:x}", Bytes::copy_from_slice(&code.finalize().into_bytes()))
    }
}

/// A request's body that adds to its code what is read of it.
#[derive(Debug)]
pub struct Coded<B> {
    body: B,
    code: RequestCode,
}

impl<B> Coded<B> {
    /// A body whose bytes make this code.
    pub const fn new(body: B, code: RequestCode) -> Self {
        Self { body, code }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Coded<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            self.code.update(bytes);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
