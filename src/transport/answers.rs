//! The answers of a connection: how many are open, and how much of them waits for their caller.
//!
//! A caller of HTTP/2 says how much it will take, so it can ask for many answers and take none of them: each is held in memory meanwhile.
//! So what is held is counted, and with too much nothing more is answered on the connection. An answer is offered in parts, small
//! ones first, since the protocol's library takes over a part as soon as the caller takes a byte of it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::{Body, Frame, SizeHint};

/// Bytes that may wait on all connections, before those that hold much get no more.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Bytes on one connection that are much: a few answers.
const MUCH: usize = 64 * 1024;
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
    held_bytes: AtomicUsize,
    /// The same of all connections.
    held_by_all: Arc<AtomicUsize>,
    /// When the last one ended, or the connection began.
    since: Mutex<Instant>,
}

impl Answers {
    pub(super) fn none(held_by_all: &Arc<AtomicUsize>) -> Self {
        let (open, held_bytes, held_by_all) = (0.into(), 0.into(), Arc::clone(held_by_all));
        Self(Arc::new(Counts { open, held_bytes, held_by_all, since: Mutex::new(Instant::now()) }))
    }

    /// Whether so much waits for the callers, and enough of it for this one, that nothing more should be answered. A gateway that
    /// carries many calls on one connection is let be as long as there is room.
    #[must_use]
    pub fn are_untaken(&self) -> bool {
        MOST_BYTES <= self.0.held_by_all.load(Ordering::Relaxed)
            && MUCH <= self.0.held_bytes.load(Ordering::Relaxed)
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
        Open { all: self.clone(), held_bytes: 0 }
    }
}

/// An answer that is open, until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    all: Answers,
    held_bytes: usize,
}

impl Open {
    /// The body of the answer.
    pub(super) fn offered<B: Body<Data = Bytes> + Unpin>(mut self, mut body: B) -> Offered<B> {
        let first = (!body.is_end_stream())
            .then(|| poll_fn(|context| Pin::new(&mut body).poll_frame(context)).now_or_never());
        let first = first.flatten();
        if let Some(Some(Ok(frame))) = &first {
            self.hold(frame.data_ref().map_or(0, Bytes::len));
        }
        Offered { body, first, rest: Bytes::new(), part: FIRST_BYTES, open: self }
    }

    fn hold(&mut self, bytes: usize) {
        for held in [&self.all.0.held_bytes, &*self.all.0.held_by_all] {
            held.fetch_add(bytes, Ordering::Relaxed);
            held.fetch_sub(self.held_bytes, Ordering::Relaxed);
        }
        self.held_bytes = bytes;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.hold(0);
        *self.all.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.all.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a body gives when it is asked for more.
type Given<E> = Option<Result<Frame<Bytes>, E>>;

/// An answer in parts, each asked for once the caller can take more.
#[derive(Debug)]
pub(super) struct Offered<B: Body> {
    body: B,
    /// What the body gave at once, so that its size is known; the first of a stream comes later.
    first: Option<Given<B::Error>>,
    rest: Bytes,
    part: usize,
    open: Open,
}

impl<B: Body<Data = Bytes, Error: Unpin> + Unpin> Body for Offered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Given<B::Error>> {
        if self.rest.is_empty() {
            let given = match self.first.take() {
                Some(first) => first,
                None => ready!(Pin::new(&mut self.body).poll_frame(context)),
            };
            match given {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let length = self.part.min(self.rest.len());
        // A copy, or a small part would keep the whole answer in memory.
        let part = Bytes::copy_from_slice(&self.rest.split_to(length));
        self.part = PART_BYTES.min(2 * self.part);
        let left = self.rest.len();
        self.open.hold(left);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
