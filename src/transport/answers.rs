//! The answers of a connection: how many are open, and how many wait for their caller.
//!
//! A caller of HTTP/2 says how much it will take, so it can ask for many answers and take none of them: each is held in memory meanwhile.
//! So those that wait are counted, and with too many nothing more is answered on the connection. An answer is offered in parts, small
//! ones first, since the protocol's library keeps a copy of a part as soon as the caller takes a byte of it.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Answers that may wait on one connection.
const MOST: usize = 16;
/// Bytes of the first part; each later one is at most twice as large as the one before.
const FIRST_BYTES: usize = 1024;
/// Bytes of a part at most: a frame.
const PART_BYTES: usize = 16 * 1024;

/// The answers of a connection; an extension of its requests.
#[derive(Debug, Clone)]
pub struct Answers(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    open: AtomicUsize,
    waiting: AtomicUsize,
    /// When the last one ended, or the connection began.
    since: Mutex<Instant>,
}

impl Answers {
    pub(super) fn none() -> Self {
        let (open, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Counts { open, waiting, since: Mutex::new(Instant::now()) }))
    }

    /// Whether so many wait for their caller that nothing more should be answered.
    #[must_use]
    pub fn are_untaken(&self) -> bool {
        MOST <= self.0.waiting.load(Ordering::Relaxed)
    }

    /// For how long none has been open.
    pub(super) fn idle(&self) -> Duration {
        match self.0.open.load(Ordering::Relaxed) {
            0 => self.0.since.lock().unwrap_or_else(PoisonError::into_inner).elapsed(),
            _ => Duration::ZERO,
        }
    }

    /// Counts a request from its head on.
    pub(super) fn open(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Open { all: self.clone(), is_waiting: false }
    }
}

/// An answer that is open, until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    all: Answers,
    is_waiting: bool,
}

impl Open {
    /// The body of the answer.
    pub(super) fn offered<B: Body>(mut self, body: B) -> Offered<B> {
        self.wait(!body.is_end_stream());
        Offered { body, rest: Bytes::new(), part: FIRST_BYTES, open: self }
    }

    fn wait(&mut self, is_waiting: bool) {
        let waiting = &self.all.0.waiting;
        match (self.is_waiting, is_waiting) {
            (false, true) => drop(waiting.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(waiting.fetch_sub(1, Ordering::Relaxed)),
            (true, true) | (false, false) => {}
        }
        self.is_waiting = is_waiting;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.wait(false);
        *self.all.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.all.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer in parts, each asked for once the caller can take more.
#[derive(Debug)]
pub(super) struct Offered<B> {
    body: B,
    rest: Bytes,
    part: usize,
    open: Open,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Offered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        // Who asks for more waits for us.
        self.open.wait(false);
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
        self.open.wait(true);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
