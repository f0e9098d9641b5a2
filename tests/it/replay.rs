//! Replay: a recorded request, pinned to its version, is answered as it was when that version was the newest.
//!
//! A folder `tests/replay/VERSION` holds the files of that version and requests with their answers. An answer is recorded
//! with `heel-origin --knowledge tests/replay/VERSION/base score REQUEST` and not changed any more: whatever breaks it
//! changes what a clinic was told.

use std::path::Path;

use heel_origin::cli::answer_json;
use serde_json::Value;

use crate::support::two_models;

/// Other machines and builds may differ in the last digits.
const TOLERANCE: f64 = 1e-9;

/// The notices of an answer as far as the contract promises them: a notice may be added, and its sentence written better.
fn promised(notices: &Value, codes: &[Value]) -> Vec<(Value, Value)> {
    let notices = notices.as_array().into_iter().flatten();
    let kept = notices.filter(|notice| codes.contains(&notice["code"]));
    kept.map(|notice| (notice["code"].clone(), notice["subjects"].clone())).collect()
}

/// Every place where something recorded is not in the answer. Fields may be added, and the engine's version may rise.
fn differences(path: &str, recorded: &Value, answered: &Value, found: &mut Vec<String>) {
    match (recorded, answered) {
        (Value::Object(fields), Value::Object(now)) => {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "engineVersion") {
                let now = now.get(name).unwrap_or(&Value::Null);
                if name == "notices" {
                    let all = value.as_array().into_iter().flatten();
                    let codes: Vec<Value> = all.map(|notice| notice["code"].clone()).collect();
                    assert_eq!(promised(value, &codes), promised(now, &codes), "{path}");
                    continue;
                }
                differences(&format!("{path}.{name}"), value, now, found);
            }
        }
        (Value::Array(items), Value::Array(now)) if items.len() == now.len() => {
            for (position, (item, now)) in items.iter().zip(now).enumerate() {
                differences(&format!("{path}[{position}]"), item, now, found);
            }
        }
        (Value::Number(figure), Value::Number(now)) => {
            let (figure, now) = (figure.as_f64().unwrap(), now.as_f64().unwrap());
            if TOLERANCE < (figure - now).abs() {
                found.push(format!("{path}: {figure} was recorded, {now} is answered"));
            }
        }
        _ if recorded == answered => {}
        _ => found.push(format!("{path}: {recorded} was recorded, {answered} is answered")),
    }
}

#[test]
fn recorded_requests_are_answered_as_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay/2026.11.0");
    let models = two_models();
    let mut found = Vec::new();
    let mut replayed = 0;
    for entry in folder.join("requests").read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let request = std::fs::read_to_string(folder.join("requests").join(&name)).unwrap();
        let recorded = std::fs::read_to_string(folder.join("answers").join(&name)).unwrap();
        let answer = answer_json(&models, &request).unwrap();
        assert_eq!(answer, answer_json(&models, &request).unwrap(), "{name}");
        let recorded = serde_json::from_str(&recorded).unwrap();
        differences(&name, &recorded, &serde_json::from_str(&answer).unwrap(), &mut found);
        replayed += 1;
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    assert_eq!(replayed, 12);
}

#[test]
fn every_kind_of_difference_is_found() {
    let recorded = serde_json::json!({"a": 1.0, "b": ["x"], "c": true, "engineVersion": "1"});
    let mut found = Vec::new();
    differences("", &recorded, &serde_json::json!({"a": 1.1, "b": ["y"]}), &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
    let same = serde_json::json!({"a": 1.0, "b": ["x"], "c": true, "d": 1, "engineVersion": "2"});
    differences("", &recorded, &same, &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
}
