//! The disk of the audit log is full, and then it is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heel_origin::grpc::pb::StreamScoresRequest;
use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use serde_json::Value;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::figures::Figures;
use crate::hospital::Hospital;
use crate::identity::Files;
use crate::load;
use crate::process::Server;
use crate::promises::{Promises, row};

/// Callers at a time, so that lines reach the disk together.
const CALLERS: usize = 4;
/// Calls after which a small disk must be full.
const MOST: usize = 2_000;
const FAILURES: &str = "heelorigin_audit_failures_total";

/// A small disk in memory, unmounted with the value.
struct Disk(PathBuf);

impl Disk {
    fn mounted(folder: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The server may hold the log open for a moment longer.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

pub(crate) async fn run(promises: &mut Promises) {
    let files = Files::new();
    let folder = files.path("disk");
    fs::create_dir(&folder).unwrap();
    match Disk::mounted(&folder) {
        Some(disk) => filled(promises, &files, &disk).await,
        None => never_room(promises, &files).await,
    }
}

fn settings(files: &Files, log: &str) -> String {
    let key = files.write("audit.key", &"k".repeat(32));
    format!(
        "{}audit.log = \"{log}\"\naudit.key = \"{key}\"\naudit.sync = true\n",
        Hospital::ports()
    )
}

async fn channel(server: &Server) -> Channel {
    Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap()
}

/// What calls came to, by their ids.
#[derive(Default)]
struct Calls {
    answered: BTreeSet<String>,
    refused: Vec<(String, Status)>,
}

impl Calls {
    /// Calls by several callers, each until it was refused a few times or has made its share.
    async fn made(channel: &Channel, name: &'static str, most: usize) -> Self {
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let mut client = ScoringServiceClient::new(channel.clone());
            callers.spawn(async move {
                let mut own = Self::default();
                for number in 0..most / CALLERS {
                    let id = format!("{name}-{caller}-{number}");
                    let mut call = Request::new(load::request());
                    call.metadata_mut().insert("x-request-id", id.parse().unwrap());
                    match client.score_findings(call).await {
                        Ok(_) => drop(own.answered.insert(id)),
                        Err(status) => own.refused.push((id, status)),
                    }
                    if own.refused.len() == 3 {
                        break;
                    }
                }
                own
            });
        }
        let mut all = Self::default();
        while let Some(own) = callers.join_next().await.map(Result::unwrap) {
            all.answered.extend(own.answered);
            all.refused.extend(own.refused);
        }
        all
    }
}

/// One item of a stream; the status that ends the stream, if one does.
async fn streamed(channel: &Channel) -> Option<Status> {
    let assessment = load::request().assessment;
    let item = StreamScoresRequest { assessment, options: None };
    let mut client = ScoringServiceClient::new(channel.clone());
    let stream = client.stream_scores(tokio_stream::iter([item])).await;
    match stream {
        Ok(stream) => stream.into_inner().message().await.err(),
        Err(status) => Some(status),
    }
}

fn is_full(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.message().contains("could not be recorded")
}

/// Refusals by a full disk, counted and logged.
fn told(promises: &mut Promises, server: &Server, refused: usize, what: &str) {
    let counted = Figures::of(server.admin).sum(FAILURES);
    let is_all = (counted - refused as f64).abs() < 0.5;
    promises.hold(is_all, &format!("{what}: {refused} refused calls are counted, was {counted}"));
    let log = server.log();
    let line = log.lines().find(|line| line.contains("audit log cannot be written"));
    row([
        what,
        line.map_or("nothing", |line| line.get(28..).unwrap_or(line)),
        &format!("{refused} calls refused, {counted} counted"),
    ]);
    promises.hold(line.is_some(), &format!("{what}: the log says so"));
}

async fn filled(promises: &mut Promises, files: &Files, disk: &Disk) {
    let (log, ballast) = (disk.0.join("audit.log"), disk.0.join("ballast"));
    fs::write(&ballast, vec![0; 28 * 1024]).unwrap();
    let server = Server::start(&settings(files, log.to_str().unwrap()));
    let channel = channel(&server).await;
    let first = Calls::made(&channel, "first", MOST).await;
    row([
        "disk full (tmpfs of 64 KiB)",
        "",
        &format!("{} calls answered before", first.answered.len()),
    ]);
    promises.hold(first.answered.len() > 20, "calls are answered while there is room");
    let is_clear = first.refused.iter().all(|(_, status)| is_full(status));
    promises.hold(
        !first.refused.is_empty() && is_clear,
        &format!("a full disk: UNAVAILABLE: {:?}", first.refused),
    );
    told(promises, &server, first.refused.len(), "disk full: calls");
    let status = streamed(&channel).await;
    promises.hold(
        status.as_ref().is_some_and(is_full),
        &format!("a full disk: a stream ends with UNAVAILABLE: {status:?}"),
    );
    told(promises, &server, first.refused.len() + 1, "disk full: calls and a stream");
    fs::remove_file(&ballast).unwrap();
    let second = Calls::made(&channel, "second", 40).await;
    row(["disk with room again", "", &format!("{} of 40 calls answered", second.answered.len())]);
    promises.hold(
        second.answered.len() == 40,
        &format!("with room again calls are answered: {:?}", second.refused),
    );
    recorded(promises, &log, &first.answered.union(&second.answered).cloned().collect());
}

/// The log holds every answered call, no other, and each in a line of its own.
fn recorded(promises: &mut Promises, log: &Path, answered: &BTreeSet<String>) {
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<Option<Value>> =
        text.lines().map(|line| serde_json::from_str(line).ok()).collect();
    let torn = lines.iter().filter(|line| line.is_none()).count();
    let ids = lines.iter().flatten().filter_map(|line| line["request_id"].as_str());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    let logged: BTreeSet<String> = ids.iter().cloned().collect();
    let (missing, more) =
        (answered.difference(&logged).count(), logged.difference(answered).count());
    let found = format!(
        "{} lines, {torn} torn, {missing} answered calls missing, {more} of refused calls",
        lines.len()
    );
    row(["the audit log afterwards", "", &found]);
    let promise = format!("the log holds every answered call and no torn line: {found}");
    promises.hold((torn, missing, more) == (0, 0, 0), &promise);
    let is_whole = ids.len() == logged.len() && text.ends_with('\n');
    promises.hold(is_whole, "no line twice, and the last one whole");
}

/// Where nothing may be mounted: a file that takes no byte.
async fn never_room(promises: &mut Promises, files: &Files) {
    row(["disk full", "nothing may be mounted here: /dev/full stands in", ""]);
    let server = Server::start(&settings(files, "/dev/full"));
    let channel = channel(&server).await;
    let calls = Calls::made(&channel, "first", 40).await;
    let is_clear =
        calls.answered.is_empty() && calls.refused.iter().all(|(_, status)| is_full(status));
    promises.hold(is_clear, &format!("a full disk: UNAVAILABLE: {:?}", calls.refused));
    told(promises, &server, calls.refused.len(), "disk full: calls");
}
