//! Random and mutated bytes in every parser: requests, JSON, knowledge, configuration, tokens, keys, certificates.
//!
//! Whatever comes, nothing panics; what is accepted is answered soundly, what is refused says why.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::SystemTime;

use heel_origin::access::{Access, Caller, Credentials, Known, Refusal, Role, Tokens, TokensFile};
use heel_origin::cli::{answer_json, answer_page};
use heel_origin::config::{self, Sources};
use heel_origin::grpc::pb::{ScoreFindingsRequest, ScoreFindingsResponse};
use heel_origin::grpc::{Models, answer_encoded};
use heel_origin::knowledge::{self, File};
use heel_origin::rules;
use heel_origin::transport::{Tls, TlsFiles};
use proptest::prelude::*;
use prost::Message as _;

use crate::identity::{AUDIENCE, Authority, Files, ISSUER, Signer, claims, key_set};
use crate::support::{MODEL, RULES, measured, request, yes_no};

/// A change of a few bytes; positions and lengths are shares of the whole, in 1/65536.
#[derive(Debug, Clone)]
enum Edit {
    Flip(u16, u8),
    Insert(u16, Vec<u8>),
    Delete(u16, u16),
    Repeat(u16, u16),
    Cut(u16),
}

fn edit() -> impl Strategy<Value = Edit> {
    let piece = prop::collection::vec(any::<u8>(), 1..12);
    prop_oneof![
        4 => (any::<u16>(), 1_u8..).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        2 => (any::<u16>(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        2 => (any::<u16>(), 0_u16..4096).prop_map(|(at, length)| Edit::Delete(at, length)),
        1 => (any::<u16>(), 0_u16..4096).prop_map(|(at, length)| Edit::Repeat(at, length)),
        1 => any::<u16>().prop_map(Edit::Cut),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 1..6)
}

fn share(bytes: &[u8], part: u16) -> usize {
    bytes.len() * usize::from(part) / 65_536
}

fn mutated(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for edit in edits {
        let range = |at, length| {
            let start = share(&bytes, at);
            start..(start + share(&bytes, length) + 1).min(bytes.len())
        };
        match edit {
            Edit::Flip(at, bits) => {
                let at = share(&bytes, *at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Edit::Insert(at, piece) => {
                let at = share(&bytes, *at);
                bytes.splice(at..at, piece.iter().copied());
            }
            Edit::Delete(at, length) => drop(bytes.drain(range(*at, *length))),
            Edit::Repeat(at, length) => {
                let range = range(*at, *length);
                let (end, piece) = (range.end, bytes[range].to_vec());
                bytes.splice(end..end, piece);
            }
            Edit::Cut(at) => bytes.truncate(share(&bytes, *at)),
        }
    }
    bytes
}

fn text(original: &str, edits: &[Edit]) -> String {
    String::from_utf8_lossy(&mutated(original.as_bytes(), edits)).into_owned()
}

static MODELS: LazyLock<Models> =
    LazyLock::new(|| Models::new(MODEL.clone(), RULES.clone(), "primary_care").unwrap());

/// A request that uses most of the contract.
static SOUND: LazyLock<ScoreFindingsRequest> = LazyLock::new(|| {
    let findings = vec![
        yes_no("slump_test", true),
        yes_no("first_step_pain", false),
        measured("straight_leg_raise_angle", 40.0, "deg"),
        measured("ankle_dorsiflexion_power", 3.0, "1"),
        yes_no("diabetes", true),
    ];
    let mut sound = request(findings);
    let assessment = sound.assessment.as_mut().unwrap();
    assessment.assessment_id = "visit-1".into();
    assessment.setting = "podiatry".into();
    assessment.side = 1;
    sound
});

const JSON: &str = r#"{"assessment": {"assessmentId": "visit-1", "patient": {"age_years": 52, "sex": "SEX_FEMALE"},
  "side": "SIDE_RIGHT", "findings": [{"id": "slump_test", "present": true},
  {"id": "straight_leg_raise_angle", "quantity": {"value": 40, "unit": "deg"}}, {"id": "diabetes", "present": false}]},
  "options": {"view": "VIEW_BASIC", "consistency": "CONSISTENCY_STRICT"}}"#;

/// What is answered is a distribution; what is refused has a reason.
fn is_sound(bytes: &[u8]) -> Result<(), TestCaseError> {
    match answer_encoded(&MODELS, bytes) {
        Ok(answer) => {
            let answer = ScoreFindingsResponse::decode(&answer[..]).unwrap();
            let weights: f64 = answer.origins.iter().filter_map(|score| score.weight).sum();
            if let Some(unexplained) = answer.unexplained {
                prop_assert!((weights + unexplained - 1.0).abs() < 1e-6, "{weights}");
            }
            for likelihood in answer.origins.iter().map(|score| score.likelihood.unwrap()) {
                prop_assert!((0.0..=1.0).contains(&likelihood), "{likelihood}");
            }
        }
        Err(refused) => prop_assert!(refused.0.iter().all(|reason| !reason.is_empty())),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_no_request_or_a_sound_one(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        is_sound(&bytes)?;
    }

    #[test]
    fn a_mutated_request_is_answered_or_refused(edits in edits()) {
        is_sound(&mutated(&SOUND.encode_to_vec(), &edits))?;
    }

    #[test]
    fn a_mutated_text_is_no_request_or_a_sound_one(edits in edits()) {
        let text = text(JSON, &edits);
        let (json, page) = (answer_json(&MODELS, &text), answer_page(&MODELS, &text));
        // The page sets the view by itself: what is wrong with it only the other form can say.
        prop_assert!(json.is_err() || page.is_ok(), "{:?}", page);
    }

    #[test]
    fn a_mutated_configuration_is_read_or_refused(
        edits in edits(),
        variable in prop::option::of(("HEELORIGIN__[A-Z_]{0,24}", ".{0,40}")),
    ) {
        let files = Files::new();
        let example = include_str!("../../deploy/config.example.toml");
        let sources = Sources {
            file: Some(files.write("heel-origin.toml", &text(example, &edits)).into()),
            variables: variable.into_iter().collect::<BTreeMap<_, _>>(),
            flags: Vec::new(),
        };
        if let Err(error) = config::load(&sources) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_mutated_token_is_refused(edits in edits(), random in ".{0,200}") {
        let (token, access) = &*TOKEN;
        for shown in [text(token, &edits), random] {
            let header = format!("Bearer {shown}");
            let credentials = Credentials { names: &[], authorization: Some(&header) };
            let outcome = access.authenticate(credentials, SystemTime::now());
            // Base64 has a few spare bits and the header's blanks are trimmed: the very same token may be spelt in two ways.
            prop_assert!(outcome.is_err() || shown.trim() == token.as_str(), "{shown}");
            prop_assert_ne!(outcome, Err(Refusal::Unknown));
        }
    }

    #[test]
    fn mutated_keys_and_certificates_are_read_or_refused(edits in edits()) {
        let (files, (_, keys, certificate, key)) = (Files::new(), &*IDENTITY);
        let keys = files.write("keys.json", &text(keys, &edits)).into();
        let tokens = TokensFile { keys, issuer: ISSUER.into(), audience: AUDIENCE.into() };
        if let Err(error) = Tokens::load(tokens) {
            prop_assert!(error.to_string().contains("keys.json"));
        }
        for (certificate, key) in
            [(text(certificate, &edits), key.clone()), (certificate.clone(), text(key, &edits))]
        {
            let tls = TlsFiles {
                certificate: files.write("a.pem", &certificate).into(),
                private_key: files.write("a.key", &key).into(),
                clients: Some((
                    files.write("authority.pem", &certificate).into(),
                    heel_origin::transport::ClientCertificates::Allowed,
                )),
            };
            if let Err(error) = Tls::load(tls) {
                let told = error.to_string();
                prop_assert!(["a.pem", "a.key", "authority.pem"].iter().any(|name| told.contains(name)));
            }
        }
    }
}

/// The authority's certificate, a key set, a certificate and its key.
static IDENTITY: LazyLock<(String, String, String, String)> = LazyLock::new(|| {
    let (authority, signer) = (Authority::new(), Signer::new("one"));
    let (certificate, key) = authority.signs("localhost");
    (authority.pem(), key_set(&[&signer]), certificate, key)
});

/// A sound token and the table that knows its subject.
static TOKEN: LazyLock<(String, Access)> = LazyLock::new(|| {
    let (files, signer) = (Files::new(), Signer::new("one"));
    let keys = files.write("keys.json", &key_set(&[&signer])).into();
    let tokens = TokensFile { keys, issuer: ISSUER.into(), audience: AUDIENCE.into() };
    let caller = Caller { name: "clinic".into(), roles: vec![Role::Score] };
    let known = Known { caller, certificates: Vec::new(), subjects: vec!["clinic".into()] };
    let access = Access::new(vec![known], Some(Tokens::load(tokens).unwrap()));
    (signer.sign(&claims("clinic")), access)
});

proptest! {
    // A knowledge base takes longer to read.
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_knowledge_base_is_read_or_refused(
        position in any::<prop::sample::Index>(),
        edits in edits(),
    ) {
        let mut files: Vec<File> = knowledge::embedded();
        let own = position.get(&files).name.clone();
        for file in files.iter_mut().filter(|file| file.name == own) {
            file.text = text(&file.text, &edits);
        }
        if let Err(faults) = rules::load(&files) {
            prop_assert!(!faults.to_string().trim().is_empty());
        }
    }
}

#[test]
fn mutations_reach_both_sides() {
    // Were every mutated request refused at once, the laws above would say little.
    let bytes = SOUND.encode_to_vec();
    let flips = (0..bytes.len()).map(|at| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        answer_encoded(&MODELS, &flipped).is_ok()
    });
    let (answered, refused): (Vec<bool>, Vec<bool>) = flips.partition(|is_answered| *is_answered);
    assert!(5 < answered.len() && 50 < refused.len(), "{} {}", answered.len(), refused.len());
}
