//! What the service costs beside the least that such a service can cost, measured in turn in one run.
//!
//! `cargo bench --bench service` needs h2load (Debian's nghttp2-client) and two cores. A round starts each server anew on core 0 and loads
//! it from core 1; the figures are medians of the rounds, and the ratios are of the same round. `-- ROUNDS` for other than five.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "prints figures and stops at the first fault"
)]

mod floor;
mod load;
#[path = "../patients.rs"]
mod patients;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use heel_origin::engine::Model;
use heel_origin::grpc::{Models, answer_encoded, pb};
use heel_origin::{knowledge, rules};
use load::{Met, Server};
use patients::Patient;
use prost::Message as _;

/// Patients of each kind that are timed in process.
const PATIENTS: usize = 41;
/// How long one load should last, in seconds.
const SECONDS: f64 = 4.0;

/// A kind of request.
struct Kind {
    name: &'static str,
    requests: Vec<Vec<u8>>,
}

/// The request of a kind whose time is its median, and times in process in microseconds.
struct Typical {
    name: &'static str,
    request: Vec<u8>,
    answer: Vec<u8>,
    median: f64,
    mean: f64,
    most: f64,
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let first = arguments.next();
    if first.as_deref() == Some("floor") {
        let answer = fs::read(arguments.next().unwrap()).unwrap();
        return floor::serve(pb::ScoreFindingsResponse::decode(&*answer).unwrap());
    }
    let rounds = first.and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let rules = Arc::new(rules::load(&knowledge::embedded()).unwrap());
    let model = Arc::new(Model::new(Arc::clone(&rules.knowledge)).unwrap());
    let kinds = kinds(&model);
    let models = Models::new(model, rules, "primary_care").unwrap();
    let typical: Vec<Typical> = kinds.iter().map(|kind| typical(&models, kind)).collect();
    println!("\nin process, one core, microseconds\n");
    println!("| request | its bytes | bytes of the answer | median | mean | most |");
    println!("|---|---|---|---|---|---|");
    for own in &typical {
        let (sent, answered) = (own.request.len(), own.answer.len());
        let (median, mean, most) = (own.median, own.mean, own.most);
        let name = own.name;
        println!("| {name} | {sent} | {answered} | {median:.0} | {mean:.0} | {most:.0} |");
    }
    println!("\nserver on one core, {rounds} rounds\n");
    println!(
        "| request | floor, answers a second | ours | ratio | floor, CPU µs | ours | ours over floor + in process | p50, p99 with 16 (2 where one takes 0.1 s) asked at a time, ms | MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let folder = tempfile::tempdir().unwrap();
    for own in &typical {
        compare(own, rounds, folder.path());
    }
}

fn kinds(model: &Model) -> Vec<Kind> {
    let of = |name, findings, view| Kind {
        name,
        requests: patients::patients(model, PATIENTS, findings)
            .into_iter()
            .map(|patient| request(patient, view))
            .collect(),
    };
    let worst =
        |name, view| Kind { name, requests: vec![request(patients::everything(model), view)] };
    vec![
        of("basic, 5 findings", 5, pb::View::Basic),
        of("basic, 25 findings", 25, pb::View::Basic),
        of("basic, 80 findings", 80, pb::View::Basic),
        of("full, 25 findings", 25, pb::View::Full),
        worst("basic, all findings present", pb::View::Basic),
        worst("full, all findings present", pb::View::Full),
    ]
}

fn request(patient: Patient, view: pb::View) -> Vec<u8> {
    let finding = |(id, present)| pb::Finding {
        id,
        value: Some(pb::finding::Value::Present(present)),
        ..pb::Finding::default()
    };
    let assessment = pb::Assessment {
        patient: Some(pb::Patient { age_years: patient.age_years, ..pb::Patient::default() }),
        findings: patient.findings.into_iter().map(finding).collect(),
        ..pb::Assessment::default()
    };
    let options = pb::ScoreOptions { view: view.into(), ..pb::ScoreOptions::default() };
    let request = pb::ScoreFindingsRequest { assessment: Some(assessment), options: Some(options) };
    request.encode_to_vec()
}

/// Answers every request, more often where that is quick.
fn typical(models: &Models, kind: &Kind) -> Typical {
    let time = |request: &Vec<u8>| {
        let once = || {
            let begun = Instant::now();
            let answer = answer_encoded(models, request).expect("a sound request");
            (begun.elapsed().as_secs_f64() * 1e6, answer)
        };
        let (first, answer) = once();
        let again = if first < 20_000.0 { 9 } else { 0 };
        let mut times: Vec<f64> = (0..again).map(|_| once().0).chain([first]).collect();
        (middle(&mut times), request.clone(), answer)
    };
    let mut timed: Vec<_> = kind.requests.iter().map(time).collect();
    timed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mean = timed.iter().map(|own| own.0).sum::<f64>() / timed.len() as f64;
    let most = timed[timed.len() - 1].0;
    let (median, request, answer) = timed.swap_remove(timed.len() / 2);
    Typical { name: kind.name, request, answer, median, mean, most }
}

fn compare(own: &Typical, rounds: usize, folder: &Path) {
    let (body, answer) = (folder.join("request"), folder.join("answer"));
    let length = u32::try_from(own.request.len()).unwrap().to_be_bytes();
    fs::write(&body, [&[0], &length[..], &own.request].concat()).unwrap();
    fs::write(&answer, &own.answer).unwrap();
    let this = std::env::current_exe().unwrap();
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_heel-origin"));
    let mut pairs = Vec::new();
    for _ in 0..rounds {
        let floor = Server::start(&this, &["floor", answer.to_str().unwrap()]);
        let floor = measured(&floor, &body, own.answer.len(), 20e-6);
        let server = Server::start(&ours, &["serve", "--listen", "127.0.0.1:0"]);
        pairs.push((floor, measured(&server, &body, own.answer.len(), own.median * 1e-6)));
    }
    let of = |figure: &dyn Fn(&(Met, Met)) -> f64| {
        middle(&mut pairs.iter().map(figure).collect::<Vec<f64>>())
    };
    println!(
        "| {} | {:.0} | {:.0} | {:.3} | {:.1} | {:.1} | {:.2} | {:.1}, {:.1} | {:.0} |",
        own.name,
        of(&|pair| pair.0.rate),
        of(&|pair| pair.1.rate),
        of(&|pair| pair.1.rate / pair.0.rate),
        of(&|pair| pair.0.cpu),
        of(&|pair| pair.1.cpu),
        of(&|pair| pair.1.cpu / (pair.0.cpu + own.median)),
        of(&|pair| pair.1.median / 1e3),
        of(&|pair| pair.1.p99 / 1e3),
        of(&|pair| pair.1.memory),
    );
}

/// A load of about [`SECONDS`] after a short one, with one answer of `bytes` taking about `each` seconds.
fn measured(server: &Server, body: &Path, bytes: usize, each: f64) -> Met {
    let count = |seconds: f64| ((seconds / each) as usize).clamp(16, 200_000);
    // What takes long would come after the server's time limit, were it asked sixteen times at once.
    let connections = if each < 0.1 { 8 } else { 1 };
    server.load(body, bytes, count(SECONDS / 8.0), connections);
    server.load(body, bytes, count(SECONDS), connections)
}

fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
