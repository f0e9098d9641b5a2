//! Every field of every request message, found in the contract itself, so that none is forgotten when it grows.

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};

/// Beginning of every planted word.
pub(crate) const CANARY: &str = "cnry";
/// A measured value that nothing else has.
pub(crate) const MEASURED: f64 = 73.912_345_678;
/// A share that nothing else has.
pub(crate) const SHARE: f64 = 0.739_123_456_78;
/// An age of a patient.
pub(crate) const AGE: u32 = 97;
/// A whole number that nothing else is.
pub(crate) const WHOLE: i32 = 919_273_645;
/// Deepest nesting of a request.
const DEEPEST: usize = 8;

/// A field that holds a value, from the request message down.
pub(crate) type Path = Vec<FieldDescriptor>;

/// A method of the contract with the fields of its request.
pub(crate) struct Method {
    /// Such as `/package.Service/Method`.
    pub(crate) path: String,
    pub(crate) is_stream: bool,
    pub(crate) request: MessageDescriptor,
    pub(crate) fields: Vec<Path>,
}

/// Every method.
pub(crate) fn methods() -> Vec<Method> {
    let pool = DescriptorPool::decode(heel_origin::grpc::FILE_DESCRIPTOR_SET).unwrap();
    let services: Vec<_> = pool.services().collect();
    services
        .iter()
        .flat_map(|service| service.methods().map(|own| method(&own)).collect::<Vec<_>>())
        .collect()
}

fn method(own: &MethodDescriptor) -> Method {
    let mut fields = Vec::new();
    collect(&own.input(), &Path::new(), &mut fields);
    Method {
        path: format!("/{}/{}", own.parent_service().full_name(), own.name()),
        is_stream: own.is_client_streaming(),
        request: own.input(),
        fields,
    }
}

fn collect(message: &MessageDescriptor, above: &Path, fields: &mut Vec<Path>) {
    assert!(above.len() < DEEPEST, "the bench does not follow messages that hold themselves");
    for field in message.fields() {
        assert!(!field.is_map(), "the bench plants nothing in maps yet: {}", field.full_name());
        let path: Path = above.iter().cloned().chain([field.clone()]).collect();
        if let Kind::Message(inner) = field.kind() {
            collect(&inner, &path, fields);
        } else {
            fields.push(path);
        }
    }
}

/// Name of a field with those above it.
pub(crate) fn name(path: &Path) -> String {
    path.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
}

/// Values to plant in a field; words begin with the canary and the number of the field.
pub(crate) fn values(field: &FieldDescriptor, number: usize) -> Vec<Value> {
    let word = format!("{CANARY}{number:04}q");
    match field.kind() {
        Kind::String => vec![
            Value::String(word.clone()),
            Value::String(format!("{word} \"'{{}}%s\\n\n\r\t<é>\u{202e}")),
            Value::String(format!("slump_test_{word}")),
            Value::String(word.repeat(40)),
        ],
        Kind::Bytes => vec![Value::Bytes(word.into_bytes().into())],
        Kind::Double => [MEASURED, SHARE, -MEASURED, 1e9 * MEASURED].map(Value::F64).to_vec(),
        #[expect(clippy::cast_possible_truncation, reason = "near enough to be seen")]
        Kind::Float => vec![Value::F32(MEASURED as f32)],
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => [WHOLE, -WHOLE].map(Value::I32).to_vec(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => vec![Value::I64(WHOLE.into())],
        Kind::Uint32 | Kind::Fixed32 => [AGE, WHOLE.unsigned_abs()].map(Value::U32).to_vec(),
        Kind::Uint64 | Kind::Fixed64 => vec![Value::U64(WHOLE.unsigned_abs().into())],
        Kind::Enum(_) => [1, WHOLE].map(Value::EnumNumber).to_vec(),
        // Neither can be recognised; sent all the same.
        Kind::Bool => [true, false].map(Value::Bool).to_vec(),
        Kind::Message(inner) => vec![Value::Message(DynamicMessage::new(inner))],
    }
}

/// Sets a field, and makes the messages above it.
pub(crate) fn plant(message: &mut DynamicMessage, path: &[FieldDescriptor], value: Value) {
    let (field, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        return message.set_field(field, value);
    }
    let Kind::Message(inner) = field.kind() else { unreachable!("only messages hold fields") };
    if field.is_list() && !message.has_field(field) {
        let first = Value::Message(DynamicMessage::new(inner));
        message.set_field(field, Value::List(vec![first]));
    }
    let held = message.get_field_mut(field);
    let held = if field.is_list() { held.as_list_mut().unwrap().last_mut().unwrap() } else { held };
    plant(held.as_message_mut().unwrap(), rest, value);
}

/// A sound request of a method: with findings where it takes an assessment.
pub(crate) fn sound(request: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(request.clone());
    if request.get_field_by_name("assessment").is_none() {
        return message;
    }
    let text = serde_json::json!({ "assessment": {
        "assessmentId": "visit-1", "patient": { "ageYears": AGE, "sex": "SEX_FEMALE" }, "side": "SIDE_RIGHT",
        "findings": [
            { "id": "straight_leg_raise_angle", "quantity": { "value": MEASURED, "unit": "deg" } },
            { "id": "slump_test", "present": true },
        ],
    }});
    let read = serde_json::from_value::<serde_json::Value>(text).unwrap();
    message = DynamicMessage::deserialize(request.clone(), read).unwrap();
    message
}

/// A message whose planted word is no UTF-8; `None` where it holds none.
pub(crate) fn torn(message: &DynamicMessage) -> Option<Vec<u8>> {
    let mut bytes = message.encode_to_vec();
    let place = bytes.windows(CANARY.len()).position(|own| own == CANARY.as_bytes())?;
    // What follows the canary, so that it can still be found.
    *bytes.get_mut(place + CANARY.len() + 4)? = 0xff;
    Some(bytes)
}
