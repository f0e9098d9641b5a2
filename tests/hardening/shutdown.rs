//! The end under load: SIGTERM answers whatever was accepted, and neither it nor `kill -9` tears the audit log from the answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use heel_origin::grpc::pb::StreamScoresRequest;
use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::Size;
use crate::figures::rises_above;
use crate::hospital::Hospital;
use crate::identity::Files;
use crate::load;
use crate::process::Server;
use crate::promises::{Promises, head, row};

/// Ends of each kind, in all.
const ROUNDS: usize = 40;
/// Callers with one call at a time each.
const CALLERS: usize = 12;
/// Callers with a stream each, and one score at a time in it.
const STREAMS: usize = 4;

const ANSWERED: &str = "heelorigin_requests_total";

/// How often each request's id was answered; a stream has one id for all its scores.
type Counts = BTreeMap<String, usize>;

pub(crate) fn run(size: Size) {
    let mut promises = Promises::default();
    head([
        "end",
        "audit.sync",
        "rounds",
        "answered",
        "lines in the audit log",
        "answered without a line",
        "lines without an answer, most in a round",
        "torn lines",
    ]);
    for (signal, is_synced) in [("TERM", false), ("KILL", false), ("KILL", true)] {
        let rounds = (0..size.of(ROUNDS)).map(|number| Round::of(number, signal, is_synced));
        ends(&mut promises, signal, is_synced, &rounds.collect::<Vec<_>>());
    }
    promises.settle();
}

/// What was left after one end.
struct Round {
    answered: Counts,
    recorded: Counts,
    /// Requests that the server's own log calls answered.
    logged: Counts,
    torn: usize,
    is_success: bool,
}

impl Round {
    fn of(number: usize, signal: &str, is_synced: bool) -> Self {
        let files = Files::new();
        let log = files.path("audit.log");
        let mut server = Server::start(&settings(&files, &log, is_synced));
        let runtime = Runtime::new().unwrap();
        let callers = runtime.block_on(callers(&server));
        // The moment of the end differs from round to round.
        let begun = rises_above(server.admin, ANSWERED, (20 + 13 * number) as f64);
        assert!(runtime.block_on(begun), "no calls");
        server.signal(signal);
        let answered = runtime.block_on(callers.join_all()).into_iter().collect();
        let is_success = server.ended().success();
        let (recorded, torn) = recorded(&log);
        Self { answered, recorded, logged: logged(&server.log()), torn, is_success }
    }

    /// Answers without a line, and lines without an answer.
    fn gaps(&self) -> (usize, usize) {
        (surplus(&self.answered, &self.recorded), surplus(&self.recorded, &self.answered))
    }
}

fn settings(files: &Files, log: &Path, is_synced: bool) -> String {
    let key = files.write("audit.key", &"k".repeat(32));
    format!(
        "{}server.lame_duck_ms = 100\nlog.format = \"json\"\n\
         audit.log = \"{}\"\naudit.key = \"{key}\"\naudit.sync = {is_synced}\n",
        Hospital::ports(),
        log.display()
    )
}

/// Everybody, each until the first call that fails: its id and how many answers it had.
async fn callers(server: &Server) -> JoinSet<(String, usize)> {
    let mut all = JoinSet::new();
    for number in 0..CALLERS {
        let channel = channel(server).await;
        all.spawn(one_by_one(channel, format!("unary-{number}")));
    }
    for number in 0..STREAMS {
        let channel = channel(server).await;
        all.spawn(in_a_stream(channel, format!("stream-{number}")));
    }
    all
}

async fn channel(server: &Server) -> Channel {
    Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap()
}

fn with_id<T>(message: T, id: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    request
}

async fn one_by_one(channel: Channel, id: String) -> (String, usize) {
    let mut client = ScoringServiceClient::new(channel);
    let mut answered = 0;
    while client.score_findings(with_id(load::request(), &id)).await.is_ok() {
        answered += 1;
    }
    (id, answered)
}

async fn in_a_stream(channel: Channel, id: String) -> (String, usize) {
    let mut client = ScoringServiceClient::new(channel);
    let (next, items) = mpsc::channel(1);
    let mut answered = 0;
    let item = || StreamScoresRequest { assessment: load::request().assessment, options: None };
    next.send(item()).await.unwrap();
    let stream = client.stream_scores(with_id(ReceiverStream::new(items), &id)).await;
    let Ok(stream) = stream else { return (id, 0) };
    let mut answers = stream.into_inner();
    while let Ok(Some(_)) = answers.message().await {
        answered += 1;
        if next.send(item()).await.is_err() {
            break;
        }
    }
    (id, answered)
}

/// Lines of the audit log by the id of their request, and how many are none.
fn recorded(log: &Path) -> (Counts, usize) {
    let text = fs::read_to_string(log).unwrap();
    let (mut counts, mut torn) = (Counts::new(), usize::from(!text.ends_with('\n')));
    for line in text.lines() {
        match serde_json::from_str::<Value>(line).ok().as_ref().map(|line| &line["request_id"]) {
            Some(Value::String(id)) => *counts.entry(id.clone()).or_default() += 1,
            _ => torn += 1,
        }
    }
    (counts, torn)
}

fn logged(text: &str) -> Counts {
    let mut counts = Counts::new();
    for line in text.lines().filter(|line| line.contains("request answered")) {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["request_id"].as_str().or_else(|| line["span"]["request_id"].as_str());
        *counts.entry(id.unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

/// How many more the first has of each.
fn surplus(first: &Counts, second: &Counts) -> usize {
    let more = first.iter().map(|(id, count)| (count, second.get(id).copied().unwrap_or(0)));
    more.map(|(own, other)| own.saturating_sub(other)).sum()
}

fn ends(promises: &mut Promises, signal: &str, is_synced: bool, rounds: &[Round]) {
    let sum = |count: fn(&Round) -> usize| rounds.iter().map(count).sum::<usize>();
    let most = rounds.iter().map(|round| round.gaps().1).max().unwrap_or(0);
    let total = |counts: &Counts| counts.values().sum::<usize>();
    let (answered, torn) = (sum(|round| round.answered.values().sum()), sum(|round| round.torn));
    let missing = sum(|round| round.gaps().0);
    let name = if signal == "TERM" { "SIGTERM" } else { "kill -9" };
    let lines: usize = rounds.iter().map(|round| total(&round.recorded)).sum();
    let numbers = [rounds.len(), answered, lines, missing, most, torn].map(|n| n.to_string());
    let [rounds_made, answered, lines, gaps, surplus, broken] = &numbers;
    row([name, &is_synced.to_string(), rounds_made, answered, lines, gaps, surplus, broken]);
    promises.hold(missing == 0, &format!("{name}: every answered call is in the audit log"));
    promises.hold(torn == 0, &format!("{name}: no line is torn"));
    if signal == "TERM" {
        promises
            .hold(most == 0, "SIGTERM: every accepted call is answered: lines and answers agree");
        let is_logged = |round: &Round| {
            let unary = |counts: &Counts| -> Counts {
                counts.clone().into_iter().filter(|(id, _)| id.starts_with("unary")).collect()
            };
            unary(&round.logged) == unary(&round.answered)
        };
        promises.hold(rounds.iter().all(is_logged), "SIGTERM: the server's log says the same");
        let is_success = rounds.iter().all(|round| round.is_success);
        promises.hold(is_success, "SIGTERM: exit code 0, within the grace time");
    } else {
        let in_flight = CALLERS + STREAMS;
        let promise = format!("{name}: at most {in_flight} calls in flight more, were {most}");
        promises.hold(most <= in_flight, &promise);
    }
}
