//! Answers that a caller asks for and does not take.
//!
//! A caller of HTTP/2 says how much it will take, so it can ask for many answers and take none of them: each is held in memory meanwhile.
//! So those that wait are counted for each connection, and with too many nothing more is answered on it. An answer is offered in parts,
//! small ones first, since the protocol's library keeps a copy of a part as soon as the caller takes a byte of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Answers that may wait on one connection.
const MOST: usize = 16;
/// Bytes of the first part; each later one is at most twice as large as the one before.
const FIRST_BYTES: usize = 1024;
/// Bytes of a part at most: a frame.
const PART_BYTES: usize = 16 * 1024;

/// How many answers wait to be taken on a connection; an extension of its requests.
#[derive(Debug, Clone, Default)]
pub struct Untaken(Arc<AtomicUsize>);

impl Untaken {
    /// Whether so many wait that nothing more should be answered.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        MOST <= self.0.load(Ordering::Relaxed)
    }

    /// Counts an answer while it waits.
    pub(super) fn offered<B: Body>(&self, body: B) -> Offered<B> {
        let mut waiting = Waiting { all: self.clone(), is_waiting: false };
        waiting.set(!body.is_end_stream());
        Offered { body, rest: Bytes::new(), part: FIRST_BYTES, waiting }
    }
}

/// Whether one answer waits for its caller.
#[derive(Debug)]
struct Waiting {
    all: Untaken,
    is_waiting: bool,
}

impl Waiting {
    fn set(&mut self, is_waiting: bool) {
        match (self.is_waiting, is_waiting) {
            (false, true) => drop(self.all.0.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.all.0.fetch_sub(1, Ordering::Relaxed)),
            (true, true) | (false, false) => {}
        }
        self.is_waiting = is_waiting;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// An answer in parts, each asked for once the caller can take more.
#[derive(Debug)]
pub(super) struct Offered<B> {
    body: B,
    rest: Bytes,
    part: usize,
    waiting: Waiting,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Offered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // Who asks for more waits for us.
        self.waiting.set(false);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let length = self.part.min(self.rest.len());
        self.part = PART_BYTES.min(2 * self.part);
        self.waiting.set(true);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
