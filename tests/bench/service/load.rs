//! A server on one core and a load on the other.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server, ended with the value.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

/// What a load met.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Processor time of the server for each answer, in microseconds.
    pub(crate) cpu: f64,
    /// Median time to an answer, in microseconds.
    pub(crate) median: f64,
    /// Its 99th percentile.
    pub(crate) p99: f64,
    /// Resident memory afterwards, in MiB.
    pub(crate) memory: f64,
}

impl Server {
    /// Starts a program on core 0; it prints its address.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program).args(arguments).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap().strip_prefix("listening on ").map(|address| address.parse().unwrap())
        });
        std::thread::spawn(move || lines.count());
        Self { child, address: address.expect("the server listens") }
    }

    /// Sends one request `count` times from core 1, two at a time on each connection; every answer has so many bytes.
    pub(crate) fn load(&self, body: &Path, bytes: usize, count: usize, connections: usize) -> Met {
        let log = body.with_extension("log");
        fs::remove_file(&log).ok();
        let before = self.processor_nanoseconds();
        let output = Command::new("taskset")
            .args(["-c", "1", "h2load", "-t", "1", "-d"])
            .arg(body)
            .args(["-H", "content-type: application/grpc", "-H", "te: trailers"])
            .args(["-c", &connections.to_string(), "-m", "2"])
            .args(["-n", &count.to_string(), "--log-file"])
            .arg(&log)
            .arg(format!("http://{}/heelorigin.v1.ScoringService/ScoreFindings", self.address))
            .output()
            .expect("h2load, of the package nghttp2-client");
        let cpu = (self.processor_nanoseconds() - before) / 1e3 / count as f64;
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(&format!("{count} succeeded")), "{told}");
        // An error comes with the same status of HTTP, and without a message.
        assert!(told.contains(&format!("({}) data", count * (5 + bytes))), "{told}");
        let rate =
            told.split_once("s, ").and_then(|(_, rest)| rest.split_once(" req/s")).unwrap().0;
        let times = fs::read_to_string(&log).unwrap();
        let time = |line: &str| line.split('\t').nth(2).unwrap().parse::<f64>().unwrap();
        let mut times: Vec<f64> = times.lines().map(time).collect();
        times.sort_by(f64::total_cmp);
        Met {
            rate: rate.parse().unwrap(),
            cpu,
            median: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            memory: self.memory(),
        }
    }

    fn processor_nanoseconds(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_task = |task: std::io::Result<fs::DirEntry>| {
            let told = fs::read_to_string(task.unwrap().path().join("schedstat")).ok()?;
            told.split(' ').next()?.parse::<f64>().ok()
        };
        tasks.filter_map(of_task).sum()
    }

    fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
