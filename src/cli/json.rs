//! A request as proto3 JSON, answered without a server.

use std::collections::BTreeSet;
use std::fmt;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use serde_json::{Map, Value};

use super::page;
use crate::grpc::{self, Models, Refused};

/// Answers a `ScoreFindingsRequest` in proto3 JSON with a `ScoreFindingsResponse` in proto3 JSON.
///
/// # Errors
/// [`Refused`] with everything that is wrong, as `field: reason`.
pub fn answer_json(models: &Models, text: &str) -> Result<String, Refused> {
    let pool = DescriptorPool::decode(grpc::FILE_DESCRIPTOR_SET).map_err(Refused::because)?;
    let request = parse(text, message(&pool, "heelorigin.v1.ScoreFindingsRequest")?)?;
    let response = grpc::answer_encoded(models, &request)?;
    let message = message(&pool, "heelorigin.v1.ScoreFindingsResponse")?;
    let dynamic = DynamicMessage::decode(message, &response[..]).map_err(Refused::because)?;
    serde_json::to_string_pretty(&dynamic).map_err(Refused::because)
}

/// Answers a `ScoreFindingsRequest` in proto3 JSON on one page of a terminal; the view it asks for has no effect.
///
/// # Errors
/// [`Refused`] with everything that is wrong, as `field: reason`.
pub fn answer_page(models: &Models, text: &str) -> Result<String, Refused> {
    // What is no JSON, or holds a field twice, is refused with the reason that the other form gives.
    serde_json::from_str::<DistinctKeys>(text).map_err(Refused::because)?;
    let mut request: Value = serde_json::from_str(text).map_err(Refused::because)?;
    if let Some(fields) = request.as_object_mut() {
        let options = fields.entry("options").or_insert_with(|| Value::Object(Map::new()));
        if let Some(options) = options.as_object_mut() {
            options.insert("view".to_owned(), "VIEW_FULL".into());
        }
    }
    let findings = request["assessment"]["findings"].as_array().into_iter().flatten();
    let absent = findings.filter(|finding| finding["present"] == Value::Bool(false));
    let absent: Vec<&str> = absent.filter_map(|finding| finding["id"].as_str()).collect();
    page::page(&answer_json(models, &request.to_string())?, &absent).map_err(Refused::because)
}

fn message(pool: &DescriptorPool, name: &str) -> Result<MessageDescriptor, Refused> {
    let missing = || Refused::because(format!("the contract has no message {name}"));
    pool.get_message_by_name(name).ok_or_else(missing)
}

/// The message that a text holds, encoded.
fn parse(text: &str, message: MessageDescriptor) -> Result<Vec<u8>, Refused> {
    // prost-reflect would take the last of duplicate keys in silence.
    serde_json::from_str::<DistinctKeys>(text).map_err(Refused::because)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(message, &mut reader).map_err(Refused::because)?;
    Ok(dynamic.encode_to_vec())
}

/// Any JSON in which no object names a field twice, be it in both spellings (`age_years`, `ageYears`).
struct DistinctKeys;

impl<'de> Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for DistinctKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.replace('_', "").to_lowercase()) {
                return Err(A::Error::custom(format!("`{key}` is sent twice")));
            }
            map.next_value::<Self>()?;
        }
        Ok(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self, A::Error> {
        while sequence.next_element::<Self>()?.is_some() {}
        Ok(Self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(Self)
    }
}
