//! Who is let in.

use std::time::{Duration, SystemTime};

use heel_origin::access::{Access, Caller, Credentials, Known, Refusal, Role, Tokens, TokensFile};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::identity::{AUDIENCE, Files, ISSUER, Signer, claims, key_set, seconds};

fn known(name: &str, certificates: &[&str], subjects: &[&str]) -> Known {
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let caller = Caller { name: name.to_owned(), roles: vec![Role::Score] };
    Known { caller, certificates: all(certificates), subjects: all(subjects) }
}

fn file(files: &Files, text: &str) -> TokensFile {
    let keys = files.write("keys.json", text).into();
    TokensFile { keys, issuer: ISSUER.into(), audience: AUDIENCE.into() }
}

fn access(tokens: Option<Tokens>) -> Access {
    let clinic = known("clinic", &["dns:clinic.example"], &["clinic"]);
    Access::new(vec![clinic, known("ward", &["uri:spiffe://hospital/ward"], &[])], tokens)
}

fn by_token(access: &Access, token: &str, now: SystemTime) -> Result<String, Refusal> {
    let header = format!("Bearer {token}");
    let credentials = Credentials { names: &[], authorization: Some(&header) };
    access.authenticate(credentials, now).map(|caller| caller.name)
}

#[test]
fn a_certificate_names_its_caller() {
    let access = access(None);
    let by = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let credentials = Credentials { names: &names, authorization: None };
        access.authenticate(credentials, SystemTime::now()).map(|caller| caller.name)
    };
    assert_eq!(by(&["dns:other.example", "dns:clinic.example"]).unwrap(), "clinic");
    assert_eq!(by(&["uri:spiffe://hospital/ward"]).unwrap(), "ward");
    assert_eq!(by(&["dns:spiffe://hospital/ward"]), Err(Refusal::Unknown));
    assert_eq!(by(&[]), Err(Refusal::Nothing));
}

#[test]
fn a_sound_token_names_its_caller_and_decides_alone() {
    let (files, signer) = (Files::new(), Signer::new("one"));
    let access = access(Some(Tokens::load(file(&files, &key_set(&[&signer]))).unwrap()));
    let now = SystemTime::now();
    assert_eq!(by_token(&access, &signer.sign(&claims("clinic")), now).unwrap(), "clinic");
    assert_eq!(by_token(&access, &signer.sign(&claims("nobody")), now), Err(Refusal::Unknown));
    // A proxy's certificate does not stand in for a caller's bad token.
    let names = vec!["dns:clinic.example".to_owned()];
    let credentials = Credentials { names: &names, authorization: Some("Bearer nonsense") };
    assert_eq!(access.authenticate(credentials, now), Err(Refusal::Malformed));
    let credentials = Credentials { names: &names, authorization: Some("") };
    assert_eq!(access.authenticate(credentials, now), Err(Refusal::Malformed));
}

fn with(key: &str, value: Value) -> Value {
    let mut all = claims("clinic");
    all[key] = value;
    all
}

#[test]
fn every_flaw_of_a_token_is_refused() {
    let (files, signer, other) = (Files::new(), Signer::new("one"), Signer::new("two"));
    let access = access(Some(Tokens::load(file(&files, &key_set(&[&signer]))).unwrap()));
    let now = SystemTime::now();
    let reason = |token: &str| by_token(&access, token, now).unwrap_err();
    let hour = Duration::from_hours(1);
    for (claims, expected) in [
        (with("exp", json!(seconds(now - hour))), Refusal::Expired),
        (with("nbf", json!(seconds(now + hour))), Refusal::Expired),
        (with("exp", json!(-1)), Refusal::Claims),
        (with("exp", json!("soon")), Refusal::Malformed),
        (with("exp", Value::Null), Refusal::Malformed),
        (with("aud", json!("another-service")), Refusal::Claims),
        (with("aud", json!([])), Refusal::Claims),
        (with("iss", json!("https://elsewhere.example")), Refusal::Claims),
        (with("sub", Value::Null), Refusal::Malformed),
    ] {
        assert_eq!(reason(&signer.sign(&claims)), expected, "{claims}");
    }
    assert_eq!(reason(&other.sign(&claims("clinic"))), Refusal::UnknownKey);
    let forged = Signer::new("one");
    assert_eq!(reason(&forged.sign(&claims("clinic"))), Refusal::Signature);
    // No algorithm, and a shared secret made of the public key.
    let part = |value: &Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let none = json!({ "alg": "none", "kid": "one" });
    let unsigned = format!("{}.{}.", part(&none), part(&claims("clinic")));
    assert_eq!(reason(&unsigned), Refusal::Malformed);
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("one".into());
    let public = serde_json::to_vec(&signer.jwk()).unwrap();
    let shared = encode(&header, &claims("clinic"), &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(reason(&shared), Refusal::Malformed);
    let sound = signer.sign(&claims("clinic"));
    let (rest, _) = sound.rsplit_once('.').unwrap();
    assert_eq!(reason(rest), Refusal::Malformed);
    assert_eq!(reason(&format!("{sound}{}", "x".repeat(9000))), Refusal::Malformed);
}

#[test]
fn clocks_may_differ_by_half_a_minute() {
    let (files, signer) = (Files::new(), Signer::new("one"));
    let access = access(Some(Tokens::load(file(&files, &key_set(&[&signer]))).unwrap()));
    let token = signer.sign(&claims("clinic"));
    let ends =
        SystemTime::UNIX_EPOCH + Duration::from_secs(claims("clinic")["exp"].as_u64().unwrap());
    assert!(by_token(&access, &token, ends + Duration::from_secs(20)).is_ok());
    let late = by_token(&access, &token, ends + Duration::from_secs(40));
    assert_eq!(late, Err(Refusal::Expired));
}

#[test]
fn a_revoked_key_is_refused_once_its_file_is_read_again() {
    let (files, old, new) = (Files::new(), Signer::new("old"), Signer::new("new"));
    let tokens = Tokens::load(file(&files, &key_set(&[&old]))).unwrap();
    let access = access(Some(tokens));
    let now = SystemTime::now();
    let by = |signer: &Signer| by_token(&access, &signer.sign(&claims("clinic")), now);
    assert!(by(&old).is_ok());
    let tokens = access.tokens().unwrap();
    assert!(!tokens.reload().unwrap());
    for faulty in [
        "",
        "{",
        "{\"keys\": []}",
        "{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\", \"kid\": \"old\"}]}",
    ] {
        files.write("keys.json", faulty);
        tokens.reload().unwrap_err();
        assert!(by(&old).is_ok(), "what was sound stays in use");
    }
    files.write("keys.json", &key_set(&[&new]));
    assert!(tokens.reload().unwrap());
    assert_eq!(by(&old), Err(Refusal::UnknownKey));
    assert!(by(&new).is_ok());
}

#[test]
fn roles_say_what_a_caller_may_do() {
    let caller = |roles: &[Role]| Caller { name: "x".into(), roles: roles.to_vec() };
    assert!(
        caller(&[Role::Score]).may(Role::Score) && !caller(&[Role::Score]).may(Role::Knowledge)
    );
    for (role, _) in Role::ALL {
        assert!(caller(&[Role::Admin]).may(role) && !caller(&[]).may(role));
    }
}
