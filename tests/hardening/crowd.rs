//! Abuse by numbers: idle connections, callers who never read, random bodies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use prost::Message as _;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use crate::Size;
use crate::attack::Met;
use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Line, call, frame, setting};
use crate::load;
use crate::wire;

const SCORE: &str = "/heelorigin.v1.ScoringService/ScoreFindings";
const LIST: &str = "/heelorigin.v1.KnowledgeService/ListFindings";
/// Longest wait for one connection.
const PATIENCE: Duration = Duration::from_mins(1);

/// Connections that say nothing; and how long a caller who comes after them waits for an answer.
pub(crate) async fn idle(address: SocketAddr, size: Size) -> Met {
    let mut all = JoinSet::new();
    for _ in 0..size.of(10_000) {
        all.spawn(timeout(Duration::from_secs(5), TcpStream::connect(address)));
    }
    let held: Vec<TcpStream> = all.join_all().await.into_iter().flatten().flatten().collect();
    let begun = Instant::now();
    let answer = async {
        loop {
            let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
            let Ok(channel) = endpoint.connect().await else { continue };
            let mut client =
                heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient::new(channel);
            if client.score_findings(load::request()).await.is_ok() {
                return begun.elapsed();
            }
        }
    };
    let waited = timeout(PATIENCE, answer).await;
    let met = waited.map_or_else(
        |_| "a new caller is not answered within a minute".to_owned(),
        |waited| format!("a new caller is answered after {} ms", waited.as_millis()),
    );
    (format!("{} connections", held.len()), met)
}

/// Callers who ask for great answers on every stream they may have, and never take one.
pub(crate) async fn slow_readers(address: SocketAddr, size: Size) -> Met {
    const STREAMS: u32 = 128;
    // page_size, field 2: 500, the greatest.
    let ask = wire::framed(&[0x10, 0xf4, 0x03]);
    let mut held = Vec::new();
    for number in 0..size.of(400) {
        // Half of them open no window, half open a great one and leave it to the network.
        let window = if number % 2 == 0 { 0 } else { 1 << 30 };
        let Ok(mut line) = Line::deaf(address, &setting(4, window)).await else { break };
        for stream in (0..STREAMS).map(|stream| 2 * stream + 1) {
            let asked = [
                frame(HEADERS, END_HEADERS, stream, &call(LIST)),
                frame(DATA, END_STREAM, stream, &ask),
            ];
            if timeout(PATIENCE, line.send(&asked.concat())).await.is_err() {
                break;
            }
        }
        held.push(line);
    }
    // Until the server has answered them all, or will not.
    tokio::time::sleep(Duration::from_secs(2)).await;
    (
        format!("{} connections of {STREAMS} streams", held.len()),
        "answers wait to be taken".to_owned(),
    )
}

/// Bodies of random bytes, and real requests in which some bytes are others.
pub(crate) async fn random_bodies(address: SocketAddr, size: Size) -> Met {
    const CONNECTIONS: usize = 4;
    const AT_A_TIME: usize = 16;
    let total = size.of(1_000_000);
    let mut all = JoinSet::new();
    for number in 0..CONNECTIONS * AT_A_TIME {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect_lazy();
        all.spawn(bodies(channel, number as u64, total / (CONNECTIONS * AT_A_TIME)));
    }
    let mut codes = BTreeMap::<String, usize>::new();
    for own in all.join_all().await {
        for (code, count) in own {
            *codes.entry(code).or_default() += count;
        }
    }
    let sum: usize = codes.values().sum();
    let told = codes.iter().map(|(code, count)| format!("{code} {count}"));
    (format!("{sum} bodies"), told.collect::<Vec<_>>().join(", "))
}

async fn bodies(channel: Channel, seed: u64, count: usize) -> BTreeMap<String, usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let real = load::request().encode_to_vec();
    let mut codes = BTreeMap::<String, usize>::new();
    for number in 0..count {
        let mut body =
            if number % 2 == 0 { real.clone() } else { vec![0; random.random_range(0..200)] };
        for byte in &mut body {
            if number % 2 == 1 || random.random_ratio(1, 20) {
                *byte = random.random();
            }
        }
        // Every tenth without a frame that fits it.
        let body = if number % 10 == 9 { body } else { wire::framed(&body) };
        let code = match wire::call(&channel, SCORE, &[], body).await {
            Ok(answer) => format!("{:?}", answer.code),
            Err(words) => words,
        };
        *codes.entry(code).or_default() += 1;
    }
    codes
}
