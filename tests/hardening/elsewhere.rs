//! What is sent beside the messages: headers, paths, tokens, certificates, HTTP/1 and JSON.

use prost::Message as _;
use serde_json::json;

use crate::canary::Watched;
use crate::forgery::with;
use crate::identity::{Authority, Signer, claims};
use crate::load;
use crate::wire::{call, framed, raw};

const SCORE: &str = "/heelorigin.v1.ScoringService/ScoreFindings";
/// A context that asks to be traced; its id is the caller's and goes to the collector.
const PARENT: (&str, &str) =
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

const HEADERS: [(&str, &str); 22] = [
    ("user-agent", "cnry9101/1.0"),
    ("x-request-id", "cnry9102 with a space"),
    (
        "x-request-id",
        "cnry9103-longer-than-any-id-that-is-taken-over-from-a-caller-since-it-has-more-than-64-characters",
    ),
    ("x-request-id", ""),
    ("x-patient-name", "cnry9104"),
    ("x-cnry9105", "cnry9105"),
    ("x-cnry9106-bin", "Y25yeTkxMDY"),
    ("cookie", "patient=cnry9107"),
    ("referer", "https://records.example/cnry9108"),
    ("forwarded", "for=cnry9109"),
    ("x-forwarded-for", "cnry9110"),
    ("traceparent", "00-cnry9111-cnry9111-01"),
    ("tracestate", "cnry9112=cnry9112"),
    ("baggage", "patient=cnry9113"),
    ("grpc-timeout", "cnry9114"),
    ("grpc-accept-encoding", "cnry9115"),
    ("grpc-previous-rpc-attempts", "cnry9116"),
    ("content-type", "application/grpc+cnry9117"),
    ("content-type", "text/cnry9118"),
    ("content-type", "application/json"),
    ("accept-language", "cnry9119"),
    ("b3", "cnry9120"),
];

pub(crate) async fn send(watched: &mut Watched, is_encrypted: bool) {
    let body = || framed(&load::request().encode_to_vec());
    for header in HEADERS {
        watched.send(SCORE, &[header], body(), false).await;
        watched.send(SCORE, &[PARENT, header], body(), false).await;
    }
    watched.send(SCORE, &[("grpc-encoding", "cnry9121")], body(), false).await;
    watched.send(SCORE, &[PARENT, ("tracestate", "cnry=9122,other=cnry9122")], body(), false).await;
    for path in [
        "/heelorigin.v1.ScoringService/Cnry9201",
        "/heelorigin.v1.ScoringService/ScoreFindings/cnry9202",
        "/heelorigin.v1.ScoringService/ScoreFindings?patient=cnry9203",
        "/heelorigin.v1.Cnry9204/ScoreFindings",
        "/cnry9205.v1.Service/Method",
        "/%63nry9206",
        "/",
    ] {
        watched.send(path, &[], body(), false).await;
    }
    // A health check of a service nobody knows: field 1, a word.
    let word = framed(b"\x0a\x08cnry9207");
    watched.send("/grpc.health.v1.Health/Check", &[], word, false).await;
    tokens(watched).await;
    json_and_http1(watched).await;
    if is_encrypted {
        certificates(watched).await;
    }
}

async fn tokens(watched: &mut Watched) {
    let body = || framed(&load::request().encode_to_vec());
    let signer = &watched.hospital.signer;
    let tokens = [
        signer.sign(&claims("cnry9301")),
        signer.sign(&with("iss", json!("https://cnry9302.example"))),
        signer.sign(&with("aud", json!("cnry9303"))),
        signer.sign(&with("patient", json!("cnry9304"))),
        signer.sign(&with("exp", json!("cnry9305"))),
        Signer::new("cnry9306").sign(&claims("chief")),
        Signer::new("one").sign(&claims("cnry9307")),
        "cnry9308".to_owned(),
        "cnry9309.cnry9309.cnry9309".to_owned(),
    ];
    for token in tokens {
        watched.send(SCORE, &[("authorization", &format!("Bearer {token}"))], body(), false).await;
    }
    for header in ["Basic cnry9310", "cnry9311", "Bearer cnry9312 \u{e9}"] {
        watched.send(SCORE, &[("authorization", header)], body(), false).await;
    }
}

/// JSON where protobuf is expected, in HTTP/2 and in HTTP/1, on both ports.
async fn json_and_http1(watched: &mut Watched) {
    let text = json!({ "assessment": { "assessmentId": "cnry9401", "patient": { "ageYears": 97 },
        "findings": [{ "id": "cnry9402", "quantity": { "value": 73.912_345_678, "unit": "cnry9403" } }] } });
    let text = text.to_string();
    for kind in ["application/json", "application/grpc+json", "application/grpc-web"] {
        watched.send(SCORE, &[("content-type", kind)], text.clone().into_bytes(), false).await;
        watched.send(SCORE, &[("content-type", kind)], framed(text.as_bytes()), false).await;
    }
    let asked = format!(
        "POST {SCORE}?cnry9404 HTTP/1.1\r\nhost: cnry9405\r\nx-patient: cnry9406\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    let upgrade =
        "GET /cnry9407 HTTP/1.1\r\nhost: cnry9408\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    for address in [watched.server.address, watched.server.admin] {
        for bytes in [asked.as_bytes(), upgrade.as_bytes(), b"cnry9409 \x00\xff cnry9410\r\n\r\n"] {
            watched.sent += 1;
            let answer = raw(address, bytes).await;
            watched.others.extend(answer);
        }
    }
}

/// Names in certificates and of servers.
async fn certificates(watched: &mut Watched) {
    let address = watched.server.address;
    let authority = &watched.hospital.authority;
    let (stranger, old) = (
        Authority::new().signs("cnry9501.example"),
        authority.signs_until("cnry9502.example", 2001),
    );
    for (shown, name) in
        [(None, "cnry9503.example"), (Some(stranger), "localhost"), (Some(old), "localhost")]
    {
        let shaken = watched.hospital.handshake(address, shown, name).await;
        watched.others.extend(
            shaken.err().filter(|words| words.contains("alert")).unwrap_or_default().into_bytes(),
        );
    }
    for name in ["cnry9504.example", "spiffe://cnry9505/clinic"] {
        let shown = watched.hospital.authority.signs(name);
        let channel = watched.hospital.connect(address, Some(shown)).await.unwrap();
        let own = std::mem::replace(&mut watched.channel, channel);
        let body = framed(&load::request().encode_to_vec());
        // Without a token: an empty value would be one.
        let answer = call(&watched.channel, SCORE, &[], body).await.unwrap();
        watched.errors += &[&answer.headers, answer.message.as_str(), "\n"].concat();
        watched.sent += 1;
        watched.channel = own;
    }
}
