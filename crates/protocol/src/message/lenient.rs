//! Reading JSON as parties really write it: bounded, and with a number taken from a string where one is.

use serde_json::{Map, Value};

use super::{MAX_DEPTH, MAX_MESSAGE, MessageError};

pub(crate) type Fields = Map<String, Value>;

/// Reads an object within the bounds. What C programs leave behind a string (zero bytes) is not looked at.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Fields, MessageError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(MessageError::TooLong { len: bytes.len() });
    }
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let text = &bytes[..end];
    if is_too_deep(text) {
        return Err(MessageError::TooDeep);
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(MessageError::NotAnObject),
        Err(error) => Err(MessageError::NotJson { line: error.line(), column: error.column() }),
    }
}

/// Counts brackets outside of strings: before the parser allocates anything.
fn is_too_deep(text: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// A string that is not empty.
pub(crate) fn take_text(fields: &mut Fields, name: &str) -> Option<String> {
    match fields.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

pub(crate) fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name)?.as_str()
}

pub(crate) fn object<'f>(fields: &'f Fields, name: &str) -> Option<&'f Fields> {
    fields.get(name)?.as_object()
}

/// A whole number, also where it was written as `60.0` or `"60"`.
pub(crate) fn number(fields: &Fields, name: &str) -> Option<u32> {
    match fields.get(name)? {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => u32::try_from(whole).ok(),
            None => number.as_f64().and_then(whole),
        },
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

/// Whether a value says yes: true, a number other than 0, or one of the words.
pub(crate) fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(word) => matches!(word.as_str(), "true" | "1" | "yes" | "on"),
        Value::Object(_) => true,
        Value::Null | Value::Array(_) => false,
    }
}
