//! Faults of files and ports: what the program says, and whether it goes on.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use tokio::runtime::Runtime;

use crate::Size;
use crate::disk;
use crate::hospital::Hospital;
use crate::identity::Files;
use crate::process::Server;
use crate::promises::{Promises, head, row};
use crate::renewal;

/// The embedded knowledge base, as files.
const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/knowledge/base");

pub(crate) fn run(_: Size) {
    let mut promises = Promises::default();
    head(["fault", "said (first line)", "exit code or behaviour"]);
    configuration(&mut promises);
    certificates(&mut promises);
    keys(&mut promises);
    knowledge(&mut promises);
    ports(&mut promises);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(renewal::run(&mut promises));
    runtime.block_on(disk::run(&mut promises));
    promises.settle();
}

/// A start that must fail with an exit code and words that hold all of these.
fn refused(promises: &mut Promises, what: &str, settings: &str, (code, words): (i32, &[&str])) {
    // Tables cannot come before plain keys, so every setting is written with its whole key.
    let (seen, said) = match Server::try_start(settings) {
        Ok(_) => (None, "it started".to_owned()),
        Err((status, said)) => (status.code(), said),
    };
    row([
        what,
        &beginning(&said),
        &seen.map_or("serves".to_owned(), |code| format!("exit code {code}")),
    ]);
    promises.hold(seen == Some(code), &format!("{what}: exit code {code}, was {seen:?}"));
    for word in words {
        promises.hold(said.contains(word), &format!("{what}: says {word}: {said}"));
    }
}

/// The first line, and the one after it where the first only announces it; no more than fits a table.
pub(crate) fn beginning(said: &str) -> String {
    let lines = if said.lines().next().is_some_and(|line| line.ends_with(':')) { 2 } else { 1 };
    let words = said.lines().take(lines).collect::<Vec<_>>().join(" ");
    if words.chars().count() <= 200 {
        words
    } else {
        words.chars().take(200).chain(['…']).collect()
    }
}

fn configuration(promises: &mut Promises) {
    let ports = Hospital::ports();
    for (what, settings, words) in [
        ("unknown key", "server.listn = \"127.0.0.1:0\"", &["listn", "server"][..]),
        ("unknown table", "[servr]\nlisten = \"127.0.0.1:0\"", &["servr"]),
        ("no TOML", "server.listen = ", &["heel-origin.toml", "line"]),
        ("a word in place of a number", "server.queue = \"many\"", &["server.queue", "many"]),
        ("a negative number", "server.queue = -1", &["server.queue"]),
        (
            "a number out of range",
            "server.request_timeout_ms = 0",
            &["server.request_timeout_ms: must be from 1 to 3600000"],
        ),
        (
            "no address",
            "server.listen = \"somewhere\"",
            &["server.listen: `somewhere`", "127.0.0.1:50051"],
        ),
        (
            "no address for the machines",
            "admin.listen = \"somewhere\"",
            &["admin.listen: `somewhere`"],
        ),
        (
            "plaintext beyond this machine",
            "server.listen = \"0.0.0.0:0\"",
            &["tls.certificate", "server.allow_plaintext_beyond_loopback"],
        ),
        (
            "unknown level",
            "log.level = \"loud\"",
            &["log.level: must be off, error, warn, info, debug or trace"],
        ),
        (
            "certificate without key",
            "tls.certificate = \"a.pem\"",
            &["tls.private_key: must be named"],
        ),
        ("audit log without key", "audit.log = \"a.log\"", &["audit.key: "]),
        (
            "caller without role",
            "access.callers = [{ name = \"a\", roles = [\"chief\"], subjects = [\"a\"] }]",
            &["access.callers[0] (a): roles are some of score, knowledge, admin"],
        ),
        (
            "no such setting",
            "scoring.default_setting = \"ward\"",
            &["scoring.default_setting: ", "`ward`", "primary_care"],
        ),
        (
            "no such instrument",
            "scoring.instruments_off = [\"none\"]",
            &["scoring.instruments_off: ", "`none`"],
        ),
        ("no endpoint", "traces.endpoint = \"%% nowhere\"", &["traces.endpoint: "]),
    ] {
        // What is faulty stands in place of the sound value.
        let key = settings.split(' ').next().unwrap();
        let sound: Vec<&str> = ports.lines().filter(|line| !line.starts_with(key)).collect();
        let settings = format!("{}\n{settings}\n", sound.join("\n"));
        refused(promises, &format!("configuration: {what}"), &settings, (64, words));
    }
}

fn certificates(promises: &mut Promises) {
    let hospital = Hospital::new();
    let (certificate, key) = hospital.authority.signs("localhost");
    let (_, other) = hospital.authority.signs("localhost");
    let half = &certificate[..certificate.len() / 2];
    for (what, name, text) in [
        ("certificate missing", "server.pem", None),
        ("certificate empty", "server.pem", Some("")),
        ("certificate half", "server.pem", Some(half)),
        ("certificate that is a key", "server.pem", Some(key.as_str())),
        ("key missing", "server.key", None),
        ("key empty", "server.key", Some("")),
        ("key that is a certificate", "server.key", Some(certificate.as_str())),
        ("key of another certificate", "server.key", Some(other.as_str())),
        ("authorities missing", "authority.pem", None),
        ("authorities empty", "authority.pem", Some("")),
    ] {
        hospital.files.write("server.pem", &certificate);
        hospital.files.write("server.key", &key);
        hospital.files.write("authority.pem", &hospital.authority.pem());
        let path = hospital.path(name);
        match text {
            Some(text) => drop(hospital.files.write(name, text)),
            None => fs::remove_file(&path).unwrap(),
        }
        refused(promises, what, &hospital.configuration("allowed"), (1, &["tls", &path]));
    }
}

/// Files of keys: of tokens and of the audit log.
fn keys(promises: &mut Promises) {
    let hospital = Hospital::new();
    let whole = fs::read_to_string(hospital.path("keys.json")).unwrap();
    let path = hospital.path("keys.json");
    for (what, text) in
        [("half", &whole[..whole.len() / 2]), ("empty", ""), ("without a key", "{\"keys\": []}")]
    {
        hospital.files.write("keys.json", text);
        let words = ["access.tokens.keys: ", &path];
        refused(
            promises,
            &format!("token keys {what}"),
            &hospital.configuration("allowed"),
            (1, &words),
        );
    }
    fs::remove_file(&path).unwrap();
    // Even an administrator cannot read a folder as a file.
    fs::create_dir(&path).unwrap();
    let words = ["access.tokens.keys: ", path.as_str()];
    refused(promises, "token keys unreadable", &hospital.configuration("allowed"), (1, &words));
    let (files, ports) = (Files::new(), Hospital::ports());
    let short = files.write("short.key", "secret");
    let key = files.write("audit.key", &"k".repeat(32));
    let own = |name: &str| files.path(name).to_str().unwrap().to_owned();
    let (log, folder) = (own("audit.log"), own(""));
    for (what, log, key, words) in [
        ("audit key short", &log, &short, ["audit.key: ", "32"]),
        ("audit key missing", &log, &own("none.key"), ["audit.key: ", "none.key"]),
        ("audit key unreadable", &log, &folder, ["audit.key: ", "directory"]),
        ("audit log in no folder", &own("none/audit.log"), &key, ["audit.log: ", "none/audit.log"]),
        ("audit log that is a folder", &folder, &key, ["audit.log: ", "directory"]),
    ] {
        let settings = format!("{ports}audit.log = \"{log}\"\naudit.key = \"{key}\"\n");
        refused(promises, what, &settings, (1, &words));
    }
}

fn knowledge(promises: &mut Promises) {
    let files = Files::new();
    let folder = copied_base(&files);
    let settings = format!("{}knowledge.folder = \"{folder}\"\n", Hospital::ports());
    let file = Path::new(&folder).join("findings/spine.toml");
    let whole = fs::read_to_string(&file).unwrap();
    let half = half(&whole);
    fs::write(&file, half).unwrap();
    let line = format!("findings/spine.toml:{}", half.lines().count());
    refused(promises, "knowledge base half-written", &settings, (1, &[&folder, &line]));
    fs::write(&file, "").unwrap();
    refused(promises, "knowledge base with an empty file", &settings, (1, &[&folder, ".toml:"]));
    fs::write(&file, whole).unwrap();
    let flags = Path::new(&folder).join("rules/red_flags.toml");
    fs::remove_file(flags).unwrap();
    let words = ["not whole", "rules/red_flags.toml is missing", "sha256sum"];
    refused(promises, "knowledge base without its red flags", &settings, (1, &words));
    fs::remove_dir_all(&folder).unwrap();
    refused(promises, "knowledge base missing", &settings, (1, &["knowledge base", &folder]));
}

fn ports(promises: &mut Promises) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (what, own, other) in
        [("port taken", "server", "admin"), ("admin port taken", "admin", "server")]
    {
        let settings = format!("{own}.listen = \"{address}\"\n{other}.listen = \"127.0.0.1:0\"\n");
        refused(promises, what, &settings, (1, &[&address, "in use"]));
    }
}

/// Half of a file, cut in the middle of a quoted word, as a copy that was interrupted leaves it.
pub(crate) fn half(whole: &str) -> &str {
    let middle = whole.len() / 2;
    let quote = whole[middle..].find("= \"").unwrap() + middle;
    &whole[..quote + 5]
}

/// The embedded knowledge base in a folder of its own.
pub(crate) fn copied_base(files: &Files) -> String {
    let folder = files.path("base");
    copy(Path::new(BASE), &folder);
    folder.to_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
