//! The program as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use tempfile::TempDir;

/// A running server, ended with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are answered.
    pub(crate) admin: SocketAddr,
    log: Arc<Mutex<String>>,
    output: Arc<Mutex<String>>,
    _folder: TempDir,
}

impl Server {
    /// Starts with a configuration file; every address in it should have port 0.
    pub(crate) fn start(configuration: &str) -> Self {
        Self::try_start(configuration).unwrap_or_else(|(_, log)| panic!("no server:\n{log}"))
    }

    /// The same; where it ends at once, how and with which words.
    pub(crate) fn try_start(configuration: &str) -> Result<Self, (ExitStatus, String)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heel-origin.toml");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_heel-origin"));
        command.env_clear().arg("serve").arg("--config").arg(&file);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (kept, errors) = (Arc::clone(&log), child.stderr.take().unwrap());
        let reading = thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let told_so_far = Arc::new(Mutex::new(String::new()));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut told = |start: &str| {
            let mut line = String::new();
            while output.read_line(&mut line).unwrap() > 0 {
                told_so_far.lock().unwrap().push_str(&line);
                if let Some(address) = line.strip_prefix(start) {
                    return Some(address.trim().parse::<SocketAddr>().unwrap());
                }
                line.clear();
            }
            None
        };
        let Some((address, admin)) = told("listening on ").zip(told("admin on ")) else {
            let ended = child.wait().unwrap();
            reading.join().unwrap();
            return Err((ended, log.lock().unwrap().clone()));
        };
        // What is printed later must not fill the pipe.
        let kept = Arc::clone(&told_so_far);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Ok(Self { child, address, admin, log, output: told_so_far, _folder: folder })
    }

    /// Everything printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(sent.unwrap().success(), "kill -{name}");
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A figure of `/proc/PID/status` in KiB: `VmRSS` is the memory now, `VmHWM` the most so far.
    pub(crate) fn memory_kib(&self, figure: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
