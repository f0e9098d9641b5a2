//! Four worked examples: requests in proto3 JSON, the leading origin a clinician expects, and a snapshot of the rounded
//! answer, so that a change of evidence or engine shows what it does to them.

use std::path::Path;
use std::sync::Arc;

use heel_origin::cli::answer_json;
use heel_origin::grpc::Models;
use serde_json::Value;

use crate::support::{MODEL, RULES};

fn answer(name: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vignettes").join(format!("{name}.json"));
    let models = Models::new(Arc::clone(&MODEL), Arc::clone(&RULES), "primary_care").unwrap();
    let answer = answer_json(&models, &std::fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Every number rounded to four decimals: the last digits are another machine's business. The digest changes with every word
/// of the knowledge base and is left out.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            serde_json::json!((number.as_f64().unwrap() * 1e4).round() / 1e4)
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| name != "digest");
            kept.map(|(name, value)| (name, rounded(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

fn check(name: &str, origin: &str, condition: &str) {
    let answer = answer(name);
    assert_eq!(answer["origins"][0]["origin"], origin);
    assert_eq!(answer["conditions"][0]["condition"], condition);
    insta::assert_json_snapshot!(name, rounded(answer));
}

#[test]
fn an_s1_root_is_spinal() {
    check("s1_root", "ORIGIN_SPINAL", "sciatica");
}

#[test]
fn a_piriformis_pattern_is_pelvic() {
    check("piriformis", "ORIGIN_PELVIC", "piriformis_syndrome");
}

#[test]
fn a_tarsal_tunnel_pattern_is_peripheral() {
    check("tarsal_tunnel", "ORIGIN_PERIPHERAL_NERVE", "tarsal_tunnel_syndrome");
}

#[test]
fn first_step_pain_with_tubercle_tenderness_is_local() {
    check("plantar_fascia", "ORIGIN_LOCAL", "plantar_fasciopathy");
}
