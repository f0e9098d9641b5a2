//! Callers who may not call: what each shows, what it is told, what is counted.

use std::net::SocketAddr;

use heel_origin::grpc::pb::ListModelsRequest;
use prost::Message as _;
use tokio::runtime::Runtime;
use tonic::Code;
use tonic::transport::Channel;

use crate::Size;
use crate::figures::{Figures, rises_above};
use crate::forgery::forgeries;
use crate::hospital::{Hospital, Shown};
use crate::identity::{Authority, Signer, claims, key_set};
use crate::load;
use crate::process::Server;
use crate::promises::{Promises, head, row};
use crate::wire::{Answer, call, framed};

const SCORE: &str = "/heelorigin.v1.ScoringService/ScoreFindings";
const LIST: &str = "/heelorigin.v1.KnowledgeService/ListModels";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const FAILURES: &str = "heelorigin_auth_failures_total";

pub(crate) fn run(_: Size) {
    let mut table = Table::new();
    head(["server", "what was shown", "answer", "message", "counted"]);
    Runtime::new().unwrap().block_on(async {
        allowed(&mut table).await;
        required(&mut table).await;
    });
    table.settle();
}

/// What is collected over all attempts.
struct Table {
    promises: Promises,
    /// Every `UNAUTHENTICATED`, with what was shown.
    refusals: Vec<(String, Answer)>,
}

/// A running server and its name in the table.
struct Door<'h> {
    name: &'static str,
    hospital: &'h Hospital,
    server: Server,
}

impl Door<'_> {
    fn figures(&self) -> Figures {
        Figures::of(self.server.admin)
    }
}

impl Table {
    fn new() -> Self {
        Self { promises: Promises::default(), refusals: Vec::new() }
    }

    /// One call. `reason` is what must be counted once, and nothing beside it; without one nothing may be.
    async fn call(
        &mut self,
        (door, channel): (&Door<'_>, &Channel),
        (what, path, headers): (&str, &str, &[(&str, &str)]),
        (code, reason): (Code, Option<&str>),
    ) {
        let before = door.figures();
        let message = if path == LIST {
            ListModelsRequest {}.encode_to_vec()
        } else {
            load::request().encode_to_vec()
        };
        let message = if path == HEALTH || path == REFLECTION { Vec::new() } else { message };
        let answer = call(channel, path, headers, framed(&message)).await;
        let counted = door.figures().risen(&before, FAILURES);
        let Ok(answer) = answer else {
            row([door.name, what, "no answer", &answer.unwrap_err(), &counted.join(" ")]);
            self.promises.hold(false, &format!("{}, {what}: is answered", door.name));
            return;
        };
        let seen = format!("{:?}", answer.code);
        row([door.name, what, &seen, &answer.message, &counted.join(" ")]);
        let expected = reason.map(|reason| format!("{FAILURES}{{reason=\"{reason}\"}} +1"));
        let promise = format!("{}, {what}: answered {code:?}, was {seen}", door.name);
        self.promises.hold(answer.code == code, &promise);
        let promise = format!("{}, {what}: counted {expected:?}, was {counted:?}", door.name);
        self.promises.hold(counted == Vec::from_iter(expected), &promise);
        if answer.code == Code::Unauthenticated {
            self.refusals.push((what.to_owned(), answer));
        }
    }

    /// The same with a token, for a score.
    async fn token(
        &mut self,
        at: (&Door<'_>, &Channel),
        (what, token): (&str, &str),
        expected: (Code, Option<&str>),
    ) {
        let header = format!("Bearer {token}");
        let what = format!("token: {what}");
        self.call(at, (&what, SCORE, &[("authorization", &header)]), expected).await;
    }

    /// One handshake that must be refused, and counted.
    async fn refused_handshake(&mut self, door: &Door<'_>, what: &str, shown: Option<Shown>) {
        let (address, before) = (door.server.address, door.figures());
        let shaken = door.hospital.handshake(address, shown, "localhost").await;
        // The caller may know before the counter does.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let counted = door.figures().risen(&before, "heelorigin_").into_iter();
        let counted: Vec<String> = counted.filter(|name| name.contains("failures")).collect();
        let seen = shaken.clone().err().unwrap_or_default();
        row([door.name, what, "TLS refusal", &seen, &counted.join(" ")]);
        self.promises.hold(shaken.is_err(), &format!("{}, {what}: no connection", door.name));
        let promise = format!(
            "{}, {what}: the refused handshake is counted once, was {counted:?}",
            door.name
        );
        self.promises.hold(counted.len() == 1 && counted[0].ends_with(" +1"), &promise);
    }

    /// Nothing that is told differs between one refusal and another.
    fn settle(mut self) {
        let told = |answer: &Answer| {
            let own =
                |line: &&str| !line.starts_with("x-request-id:") && !line.starts_with("date:");
            let lines: Vec<String> =
                answer.headers.lines().filter(own).map(str::to_owned).collect();
            (answer.message.clone(), answer.details.clone(), answer.body.clone(), lines)
        };
        let first = told(&self.refusals[0].1);
        for (what, answer) in &self.refusals {
            let promise = format!("{what}: refused in the same words and bytes as the others");
            self.promises.hold(told(answer) == first, &promise);
        }
        let (count, bytes) = (self.refusals.len(), first.1.len());
        println!(
            "\n{count} UNAUTHENTICATED answers compared: message, {bytes} bytes of details, headers, body"
        );
        self.promises.settle();
    }
}

/// Tokens count, and certificates where they are shown.
async fn allowed(table: &mut Table) {
    let hospital = Hospital::new();
    let server = Server::start(&hospital.configuration("allowed"));
    let door = Door { name: "allowed", hospital: &hospital, server };
    let bare = hospital.connect(door.server.address, None).await.unwrap();
    let at = (&door, &bare);
    let none = |reason| (Code::Unauthenticated, Some(reason));
    table.call(at, ("nothing", SCORE, &[]), none("nothing")).await;
    table.call(at, ("nothing, for reflection", REFLECTION, &[]), none("nothing")).await;
    table.call(at, ("nothing, for a path that is no method", "/a.b/C", &[]), none("nothing")).await;
    table.call(at, ("nothing, for health", HEALTH, &[]), (Code::Ok, None)).await;
    for (what, token, reason) in forgeries(&hospital.signer) {
        table.token(at, (what, &token), none(reason)).await;
    }
    let sound = hospital.signer.sign(&claims("clinic"));
    for (what, header) in [
        ("a password", "Basic Y2xpbmljOnNlY3JldA==".to_owned()),
        ("a token without a scheme", sound.clone()),
    ] {
        table.call(at, (what, SCORE, &[("authorization", &header)]), none("malformed")).await;
    }
    let (good, bad) = (format!("Bearer {sound}"), "Bearer nonsense");
    let two = [("authorization", good.as_str()), ("authorization", bad)];
    table.call(at, ("two tokens, the second garbage", SCORE, &two), none("malformed")).await;
    let two = [("authorization", bad), ("authorization", good.as_str())];
    table.call(at, ("two tokens, the first garbage", SCORE, &two), none("malformed")).await;
    table.token(at, ("sound", &sound), (Code::Ok, None)).await;
    let reader = hospital.signer.sign(&claims("reader"));
    let denied = (Code::PermissionDenied, Some("role"));
    table.token(at, ("sound, of a caller without the role", &reader), denied).await;
    certificates(table, &door, &sound).await;
    revoked(table, at, &sound).await;
}

/// Beside a certificate.
async fn certificates(table: &mut Table, door: &Door<'_>, sound: &str) {
    let (hospital, address) = (door.hospital, door.server.address);
    let clinic =
        hospital.connect(address, Some(hospital.authority.signs("clinic.example"))).await.unwrap();
    let at = (door, &clinic);
    table.call(at, ("certificate: sound", SCORE, &[]), (Code::Ok, None)).await;
    let what = "certificate: sound, of a caller without the role";
    table.call(at, (what, LIST, &[]), (Code::PermissionDenied, Some("role"))).await;
    let (expired, ..) =
        forgeries(&hospital.signer).into_iter().next().map(|own| (own.1, own.2)).unwrap();
    let refused = (Code::Unauthenticated, Some("expired"));
    table.token(at, ("expired, beside a sound certificate", &expired), refused).await;
    let reader = hospital.signer.sign(&claims("reader"));
    let what = "sound of the reader, beside the clinic's certificate";
    table.token(at, (what, &reader), (Code::PermissionDenied, Some("role"))).await;
    let nobody =
        hospital.connect(address, Some(hospital.authority.signs("nobody.example"))).await.unwrap();
    let refused = (Code::Unauthenticated, Some("unknown_caller"));
    table.call((door, &nobody), ("certificate: names nobody", SCORE, &[]), refused).await;
    table
        .token(
            (door, &nobody),
            ("sound, beside a certificate that names nobody", sound),
            (Code::Ok, None),
        )
        .await;
    let strange = Authority::new().signs("clinic.example");
    table.refused_handshake(door, "certificate: of another authority", Some(strange)).await;
    let old = hospital.authority.signs_until("clinic.example", 2001);
    table.refused_handshake(door, "certificate: expired", Some(old)).await;
}

/// A key that is taken out of its file.
async fn revoked(table: &mut Table, at: (&Door<'_>, &Channel), sound: &str) {
    let (hospital, server) = (at.0.hospital, &at.0.server);
    let new = Signer::new("two");
    hospital.files.write("keys.json", &key_set(&[&new]));
    server.signal("HUP");
    let reloads = "heelorigin_reloads_total{what=\"keys\",outcome=\"success\"}";
    let is_counted = rises_above(server.admin, reloads, 0.0).await;
    table.promises.hold(is_counted, "the keys that were read again are counted");
    let refused = (Code::Unauthenticated, Some("unknown_key"));
    table.token(at, ("the sound one, its key revoked", sound), refused).await;
    table.token(at, ("sound by the new key", &new.sign(&claims("clinic"))), (Code::Ok, None)).await;
}

/// Without a certificate there is no connection.
async fn required(table: &mut Table) {
    let hospital = Hospital::new();
    let server = Server::start(&hospital.configuration("required"));
    let door = Door { name: "required", hospital: &hospital, server };
    let address: SocketAddr = door.server.address;
    table.refused_handshake(&door, "certificate: none", None).await;
    let strange = Authority::new().signs("clinic.example");
    table.refused_handshake(&door, "certificate: of another authority", Some(strange)).await;
    let old = hospital.authority.signs_until("clinic.example", 2001);
    table.refused_handshake(&door, "certificate: expired", Some(old)).await;
    let shown = async |name: &str| {
        hospital.connect(address, Some(hospital.authority.signs(name))).await.unwrap()
    };
    let nobody = shown("nobody.example").await;
    let refused = (Code::Unauthenticated, Some("unknown_caller"));
    table.call((&door, &nobody), ("certificate: names nobody", SCORE, &[]), refused).await;
    table
        .call(
            (&door, &nobody),
            ("certificate: names nobody, for health", HEALTH, &[]),
            (Code::Ok, None),
        )
        .await;
    let clinic = shown("clinic.example").await;
    table.call((&door, &clinic), ("certificate: sound", SCORE, &[]), (Code::Ok, None)).await;
    let expired = &forgeries(&hospital.signer)[0].1;
    let refused = (Code::Unauthenticated, Some("expired"));
    table.token((&door, &clinic), ("expired, beside a sound certificate", expired), refused).await;
    table
        .call(
            (&door, &clinic),
            ("certificate: sound, for a role it lacks", LIST, &[]),
            (Code::PermissionDenied, Some("role")),
        )
        .await;
}
