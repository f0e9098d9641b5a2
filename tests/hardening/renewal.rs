//! Files that break while the server runs: what was loaded before goes on, the fault is counted and logged, a repaired file is taken.

use std::fs;
use std::path::Path;

use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use tonic::Request;

use crate::faults::{beginning, copied_base, half};
use crate::figures::{Figures, rises_above};
use crate::hospital::Hospital;
use crate::identity::{Signer, claims, key_set};
use crate::load;
use crate::process::Server;
use crate::promises::{Promises, row};
use crate::seal::seal;

/// Version of a knowledge base that differs from the embedded one in nothing else.
const NEW: &str = "2026.99.9";

/// A server whose files are broken.
struct Running<'p> {
    promises: &'p mut Promises,
    hospital: Hospital,
    server: Server,
    folder: String,
}

pub(crate) async fn run(promises: &mut Promises) {
    let hospital = Hospital::new();
    let folder = copied_base(&hospital.files);
    let ports = Hospital::ports();
    let rest = [hospital.tls("allowed"), hospital.access(true)].concat();
    let server = Server::start(&format!("{ports}knowledge.folder = \"{folder}\"\n{rest}"));
    let mut running = Running { promises, hospital, server, folder };
    running.certificates().await;
    running.keys().await;
    running.knowledge().await;
}

impl Running<'_> {
    /// Version that answers over a new connection, with the old key's token; or why none does.
    async fn answers(&self) -> Result<String, String> {
        let channel = self.hospital.connect(self.server.address, None).await;
        let channel = channel.map_err(|error| error.to_string())?;
        let mut call = Request::new(load::request());
        let token = format!("Bearer {}", self.hospital.signer.sign(&claims("clinic")));
        call.metadata_mut().insert("authorization", token.parse().unwrap());
        let answer = ScoringServiceClient::new(channel).score_findings(call).await;
        let answer =
            answer.map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        Ok(answer.into_inner().model.unwrap().version)
    }

    /// SIGHUP, and what comes of it: the version that answers.
    async fn read_again(
        &mut self,
        fault: &str,
        (what, outcome): (&str, &str),
        words: &[&str],
    ) -> Result<String, String> {
        let figure = format!("heelorigin_reloads_total{{what=\"{what}\",outcome=\"{outcome}\"}}");
        let before = Figures::of(self.server.admin);
        let logged = self.server.log().lines().count();
        self.server.signal("HUP");
        let is_counted = rises_above(self.server.admin, &figure, before.sum(&figure)).await;
        self.promises.hold(is_counted, &format!("{fault}: {figure} rises"));
        let answers = self.answers().await;
        let log = self.server.log();
        let lines: Vec<&str> = log.lines().skip(logged).collect();
        // The first line says that a signal came.
        let told = lines.iter().find(|line| line.contains("read again"));
        let told = told.copied().unwrap_or_default();
        // Time and level are left out, and the rest of a longer report.
        let short = told.split_once("reload: ").map_or(told, |(_, rest)| rest);
        let behaviour = match &answers {
            Ok(version) => format!("{figure} rises, {version} answers"),
            Err(why) => format!("no answer: {why}"),
        };
        row([fault, &beginning(short), &behaviour]);
        for word in words {
            let promise = format!("{fault}: the log names {word}: {lines:?}");
            self.promises.hold(lines.iter().any(|line| line.contains(word)), &promise);
        }
        self.promises
            .hold(answers.is_ok(), &format!("{fault}: requests are answered: {answers:?}"));
        answers
    }

    async fn certificates(&mut self) {
        let (certificate, key) = self.hospital.authority.signs("localhost");
        let cut = certificate[..certificate.len() / 2].to_owned();
        let failure = ("certificates", "failure");
        for (fault, name, text) in [
            ("running: certificate turns to garbage", "server.pem", "garbage\n"),
            ("running: certificate half-written", "server.pem", &cut),
            ("running: certificate emptied", "server.pem", ""),
            ("running: only the certificate renewed, not its key", "server.pem", &certificate),
            ("running: authorities emptied", "authority.pem", ""),
        ] {
            let path = self.hospital.path(name);
            let before = fs::read_to_string(&path).unwrap();
            self.hospital.files.write(name, text);
            self.read_again(fault, failure, &[&path]).await.ok();
            self.hospital.files.write(name, &before);
        }
        let path = self.hospital.path("server.key");
        fs::remove_file(&path).unwrap();
        self.read_again("running: key removed", failure, &[&path]).await.ok();
        self.hospital.files.write("server.pem", &certificate);
        self.hospital.files.write("server.key", &key);
        let success = ("certificates", "success");
        self.read_again("running: sound pair written", success, &["certificates"]).await.ok();
    }

    async fn keys(&mut self) {
        let path = self.hospital.path("keys.json");
        let whole = fs::read_to_string(&path).unwrap();
        let failure = ("keys", "failure");
        for (fault, text) in [
            ("running: token keys half-written", &whole[..whole.len() / 2]),
            ("running: token keys emptied", ""),
            ("running: token keys without a key", "{\"keys\": []}"),
        ] {
            self.hospital.files.write("keys.json", text);
            self.read_again(fault, failure, &[&path]).await.ok();
        }
        let both = key_set(&[&self.hospital.signer, &Signer::new("two")]);
        self.hospital.files.write("keys.json", &both);
        self.read_again("running: sound token keys written", ("keys", "success"), &["keys"])
            .await
            .ok();
    }

    async fn knowledge(&mut self) {
        let old = self.answers().await.unwrap();
        let spine = Path::new(&self.folder).join("findings/spine.toml");
        let whole = fs::read_to_string(&spine).unwrap();
        let cut = half(&whole);
        fs::write(&spine, cut).unwrap();
        let line = format!("findings/spine.toml:{}", cut.lines().count());
        let (failure, fault) = (("knowledge", "failure"), "running: knowledge base half-written");
        let answers = self.read_again(fault, failure, &[&line]).await;
        self.promises
            .hold(answers == Ok(old.clone()), &format!("{fault}: {old} goes on: {answers:?}"));
        let away = Path::new(&self.folder).with_extension("away");
        fs::rename(&self.folder, &away).unwrap();
        let (folder, fault) = (self.folder.clone(), "running: knowledge base taken away");
        let answers = self.read_again(fault, failure, &[&folder]).await;
        self.promises
            .hold(answers == Ok(old.clone()), &format!("{fault}: {old} goes on: {answers:?}"));
        fs::rename(&away, &self.folder).unwrap();
        fs::write(&spine, &whole).unwrap();
        self.cut_between_entries().await;
        let card = Path::new(&self.folder).join("model.toml");
        let text = fs::read_to_string(&card).unwrap().replace(&old, NEW);
        fs::write(&card, text).unwrap();
        seal(Path::new(&self.folder));
        let fault = "running: repaired, with a new version";
        let answers = self.read_again(fault, ("knowledge", "success"), &["knowledge"]).await;
        self.promises
            .hold(answers == Ok(NEW.to_owned()), &format!("{fault}: it answers: {answers:?}"));
    }

    /// A copy that was interrupted between two entries is sound TOML: the same version, with half of its red flags.
    async fn cut_between_entries(&mut self) {
        let flags = Path::new(&self.folder).join("rules/red_flags.toml");
        let whole = fs::read_to_string(&flags).unwrap();
        let end = whole[..whole.len() / 2].rfind("\n[[").unwrap();
        fs::write(&flags, &whole[..end]).unwrap();
        let (fault, start) =
            ("running: red flags cut between two entries", "heelorigin_reloads_total{what=\"know");
        let before = Figures::of(self.server.admin);
        self.server.signal("HUP");
        rises_above(self.server.admin, start, before.sum(start)).await;
        let risen = Figures::of(self.server.admin).risen(&before, start).join(" ");
        let log = self.server.log();
        row([fault, log.lines().last().unwrap_or_default(), &risen]);
        let promise = format!(
            "{fault}: a part of a knowledge base does not take the place of the whole: {risen}"
        );
        self.promises.hold(risen.contains("failure"), &promise);
        fs::write(&flags, &whole).unwrap();
    }
}
