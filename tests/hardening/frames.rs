//! HTTP/2 by hand, for what no client would send.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
/// Flag of SETTINGS and PING that answer one.
const ACK: u8 = 1;
/// Flag of DATA and HEADERS: nothing follows on this stream.
pub(crate) const END_STREAM: u8 = 1;
/// Flag of HEADERS and CONTINUATION: these were all headers.
pub(crate) const END_HEADERS: u8 = 4;

/// How every connection begins.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A setting of SETTINGS.
pub(crate) fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// Headers as HPACK writes them at greatest length: no index, no Huffman code.
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A length as HPACK writes it, with a prefix of seven bits.
fn integer(block: &mut Vec<u8>, length: usize) {
    let byte = |number: usize| u8::try_from(number).unwrap();
    if length < 127 {
        return block.push(byte(length));
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(byte(rest % 128 + 128));
        rest /= 128;
    }
    block.push(byte(rest));
}

/// Headers of a call.
pub(crate) fn call(path: &str) -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

/// What the server sent so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Frames by their kind.
    pub(crate) frames: BTreeMap<u8, usize>,
    /// Code with which the server ended the connection.
    pub(crate) goaway: Option<u32>,
    pub(crate) is_closed: bool,
}

/// A connection of which every byte is ours.
pub(crate) struct Line {
    sending: OwnedWriteHalf,
    seen: Arc<Mutex<Seen>>,
    reading: Option<JoinHandle<()>>,
    /// What is not read is kept, so that the connection stays open.
    kept: Option<OwnedReadHalf>,
}

impl Line {
    /// Connects with these settings, reads whatever comes, and answers none of it.
    pub(crate) async fn open(address: SocketAddr, settings: &[u8]) -> std::io::Result<Self> {
        let mut line = Self::deaf(address, settings).await?;
        let (seen, read) = (Arc::clone(&line.seen), line.kept.take());
        line.reading = read.map(|read| tokio::spawn(listen(read, seen)));
        Ok(line)
    }

    /// The same, and never reads.
    pub(crate) async fn deaf(address: SocketAddr, settings: &[u8]) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (kept, mut sending) = stream.into_split();
        let start = [PREFACE, &frame(SETTINGS, 0, 0, settings), &frame(SETTINGS, ACK, 0, &[])];
        sending.write_all(&start.concat()).await?;
        Ok(Self { sending, seen: Arc::default(), reading: None, kept: Some(kept) })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sending.write_all(bytes).await
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits for the server to end the connection.
    pub(crate) async fn closed(self) -> Seen {
        if let Some(reading) = self.reading {
            reading.await.unwrap();
        }
        self.seen.lock().unwrap().clone()
    }

    /// Says that nothing more comes, and waits for the server's end.
    pub(crate) async fn ended(mut self) -> Seen {
        self.sending.shutdown().await.ok();
        self.closed().await
    }
}

async fn listen(read: OwnedReadHalf, seen: Arc<Mutex<Seen>>) {
    let mut read = BufReader::new(read);
    let mut head = [0; 9];
    while read.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if read.read_exact(&mut payload).await.is_err() {
            break;
        }
        let mut seen = seen.lock().unwrap();
        *seen.frames.entry(head[3]).or_default() += 1;
        if head[3] == GOAWAY {
            seen.goaway = payload[4..8].try_into().ok().map(u32::from_be_bytes);
        }
    }
    seen.lock().unwrap().is_closed = true;
}
