//! Tokens that must not be believed.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::identity::{Signer, claims, seconds};

/// Beginning of every P-256 public key in DER (RFC 5480).
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";

/// The clinic's claims with another value for one.
pub(crate) fn with(name: &str, value: Value) -> Value {
    let mut all = claims("clinic");
    all[name] = value;
    all
}

/// A time so many hours from now, in seconds since 1970.
fn hours(from_now: i64) -> Value {
    let now = i64::try_from(seconds(SystemTime::now())).unwrap();
    json!(now + from_now * i64::try_from(Duration::from_hours(1).as_secs()).unwrap())
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with this algorithm in words and this signature.
fn unsigned(algorithm: &str, signature: &str) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
    format!("{}.{}.{signature}", part(&header), part(&claims("clinic")))
}

/// Signed with a public key as if it were a shared secret.
fn confused(secret: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".to_owned());
    encode(&header, &claims("clinic"), &EncodingKey::from_secret(secret)).unwrap()
}

/// Signed soundly under a header that is altered.
fn headed(signer: &Signer, alter: impl FnOnce(&mut Header)) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(signer.id.to_owned());
    alter(&mut header);
    encode(&header, &claims("clinic"), &signer.key).unwrap()
}

/// The public key in DER.
fn der(signer: &Signer) -> Vec<u8> {
    let jwk = serde_json::to_value(signer.jwk()).unwrap();
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    [P256, &number("x"), &number("y")].concat()
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Another subject under the signature of the clinic's token.
fn tampered(signer: &Signer) -> String {
    let sound = signer.sign(&claims("reader"));
    let parts: Vec<&str> = sound.split('.').collect();
    [parts[0], &part(&claims("clinic")), parts[2]].join(".")
}

/// What is wrong, the token, and the reason that is counted.
pub(crate) fn forgeries(signer: &Signer) -> Vec<(&'static str, String, &'static str)> {
    let (impostor, stranger) = (Signer::new("one"), Signer::new("elsewhere"));
    let jwk = serde_json::to_string(&signer.jwk()).unwrap();
    let own_key = impostor.jwk();
    vec![
        ("expired", signer.sign(&with("exp", hours(-1))), "expired"),
        ("not yet valid", signer.sign(&with("nbf", hours(1))), "expired"),
        ("no end", signer.sign(&with("exp", Value::Null)), "malformed"),
        ("for another service", signer.sign(&with("aud", json!("elsewhere"))), "claims"),
        (
            "from another issuer",
            signer.sign(&with("iss", json!("https://elsewhere.example"))),
            "claims",
        ),
        ("alg none", unsigned("none", ""), "malformed"),
        ("alg nOnE with a signature", unsigned("nOnE", "c2lnbmF0dXJl"), "malformed"),
        ("HS256, public key in PEM as secret", confused(pem(&der(signer)).as_bytes()), "malformed"),
        ("HS256, public key in DER as secret", confused(&der(signer)), "malformed"),
        ("HS256, public key as JWK as secret", confused(jwk.as_bytes()), "malformed"),
        ("unknown key id", stranger.sign(&claims("clinic")), "unknown_key"),
        ("no key id", headed(signer, |header| header.kid = None), "unknown_key"),
        ("another key under a known id", impostor.sign(&claims("clinic")), "signature"),
        (
            "another key, shown in the token itself",
            headed(&impostor, |header| header.jwk = Some(own_key)),
            "signature",
        ),
        ("tampered payload", tampered(signer), "signature"),
        (
            "cut off signature",
            signer.sign(&claims("clinic")).rsplit_once('.').unwrap().0.to_owned(),
            "malformed",
        ),
        ("longer than 8 KiB", signer.sign(&with("more", json!("x".repeat(9_000)))), "malformed"),
        ("garbage", "%%% not a token %%%".to_owned(), "malformed"),
        ("empty", String::new(), "malformed"),
        ("sound, of a subject nobody knows", signer.sign(&claims("nobody")), "unknown_caller"),
    ]
}
