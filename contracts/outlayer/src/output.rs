//! A guest's output on its way to the caller: checked and encoded once, when the operator brings it, so that the callback only hands it on.

use near_sdk::json_types::Base64VecU8;
use near_sdk::near;
use near_sdk::serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::AnswerError;
use crate::outcome::ResourceMetrics;

/// How the caller wants the output. Variants are appended, never reordered: they are stored.
#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ResponseFormat {
    Bytes,
    #[default]
    Text,
    Json,
}

/// `output` as the operator sends it.
#[near(serializers = [json])]
#[derive(Clone, Debug)]
pub enum ExecutionOutput {
    Bytes(Vec<u8>),
    Text(String),
    Json(JsonText),
}

/// Any JSON value, kept as the text it came in: no tree is built of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "near_sdk::serde", transparent)]
pub struct JsonText(pub Box<RawValue>);

#[cfg(feature = "abi")]
impl near_sdk::schemars::JsonSchema for JsonText {
    fn schema_name() -> String {
        "AnyValue".to_string()
    }

    fn json_schema(_: &mut near_sdk::schemars::gen::SchemaGenerator) -> near_sdk::schemars::schema::Schema {
        near_sdk::schemars::schema::Schema::Bool(true)
    }
}

/// The most an output may hold, before it is encoded.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// The most it may be once encoded: room to escape every character of the longest text once, but not to write all of it as `\u0001`,
/// which would cost the callback more gas than it has.
pub const MAX_ENCODED_BYTES: usize = 2 * MAX_OUTPUT_BYTES + 2;

/// What the caller's callback will receive: a JSON text.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct StoredOutput {
    pub format: ResponseFormat,
    pub json: Vec<u8>,
}

/// What travels with the resume; made and read by this contract alone.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Resumed {
    pub success: bool,
    pub metrics: ResourceMetrics,
    pub error: Option<String>,
    pub compilation_note: Option<String>,
    pub receipt_sha256: Option<[u8; 32]>,
    /// The output, when it is small enough to travel along; else it lies in state.
    pub output_json: Option<Vec<u8>>,
}

/// What a resume may carry (NEAR `max_yield_payload_size`).
pub const MAX_RESUME_BYTES: usize = 1_024;

/// Texts that travel with the resume are cut to these, so that a failure always fits.
pub const MAX_ERROR_BYTES: usize = 600;
pub const MAX_NOTE_BYTES: usize = 200;

/// Holds an output against its bound and its format, and encodes it.
pub fn encode(output: ExecutionOutput, format: ResponseFormat) -> Result<StoredOutput, AnswerError> {
    let bytes = match &output {
        ExecutionOutput::Bytes(bytes) => bytes.len(),
        ExecutionOutput::Text(text) => text.len(),
        ExecutionOutput::Json(json) => json.0.get().len(),
    };
    if bytes > MAX_OUTPUT_BYTES {
        return Err(AnswerError::OutputTooLong { bytes, max: MAX_OUTPUT_BYTES });
    }
    let json = match format {
        ResponseFormat::Text => quoted(&text_of(output)?),
        ResponseFormat::Json => json_of(output)?.into_bytes(),
        ResponseFormat::Bytes => base64_of(output),
    };
    if json.len() > MAX_ENCODED_BYTES {
        return Err(AnswerError::EncodedTooLong { bytes: json.len(), max: MAX_ENCODED_BYTES });
    }
    Ok(StoredOutput { format, json })
}

impl StoredOutput {
    /// The output as the operator would send it.
    pub fn decode(&self) -> Option<ExecutionOutput> {
        match self.format {
            ResponseFormat::Text => serde_json::from_slice(&self.json).ok().map(ExecutionOutput::Text),
            ResponseFormat::Json => serde_json::from_slice(&self.json).ok().map(ExecutionOutput::Json),
            ResponseFormat::Bytes => serde_json::from_slice::<Base64VecU8>(&self.json).ok().map(|bytes| ExecutionOutput::Bytes(bytes.0)),
        }
    }
}

fn text_of(output: ExecutionOutput) -> Result<String, AnswerError> {
    match output {
        ExecutionOutput::Text(text) => Ok(text),
        ExecutionOutput::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| AnswerError::OutputUnfit("it is not UTF-8")),
        ExecutionOutput::Json(json) => Ok(json.0.get().to_string()),
    }
}

fn json_of(output: ExecutionOutput) -> Result<String, AnswerError> {
    if let ExecutionOutput::Json(json) = output {
        return Ok(json.0.get().to_string());
    }
    let text = text_of(output)?;
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(AnswerError::OutputUnfit("it is not JSON")),
    }
}

fn base64_of(output: ExecutionOutput) -> Vec<u8> {
    let bytes = match output {
        ExecutionOutput::Bytes(bytes) => bytes,
        ExecutionOutput::Text(text) => text.into_bytes(),
        ExecutionOutput::Json(json) => json.0.get().as_bytes().to_vec(),
    };
    serde_json::to_vec(&Base64VecU8(bytes)).unwrap_or_default()
}

fn quoted(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::borsh;
    use proptest::prelude::*;

    fn sent(json: &str) -> ExecutionOutput {
        serde_json::from_str(json).unwrap()
    }

    fn received(output: ExecutionOutput, format: ResponseFormat) -> String {
        String::from_utf8(encode(output, format).unwrap().json).unwrap()
    }

    #[test]
    fn text_becomes_a_json_string_json_the_value_and_bytes_base64() {
        assert_eq!(received(sent(r#"{"Text":"a\"b"}"#), ResponseFormat::Text), r#""a\"b""#);
        assert_eq!(received(sent(r#"{"Json":{"a":[1,2]}}"#), ResponseFormat::Json), r#"{"a":[1,2]}"#);
        assert_eq!(received(sent(r#"{"Bytes":[104,105]}"#), ResponseFormat::Bytes), r#""aGk=""#);
    }

    #[test]
    fn bytes_that_hold_text_or_json_are_taken_for_it() {
        assert_eq!(received(ExecutionOutput::Bytes(b"hi".to_vec()), ResponseFormat::Text), r#""hi""#);
        assert_eq!(received(ExecutionOutput::Text("[1]".into()), ResponseFormat::Json), "[1]");
        assert_eq!(received(ExecutionOutput::Text("hi".into()), ResponseFormat::Bytes), r#""aGk=""#);
    }

    #[test]
    fn an_output_that_does_not_fit_its_format_is_refused_with_the_reason() {
        let not_utf8 = encode(ExecutionOutput::Bytes(vec![0xff]), ResponseFormat::Text);
        assert_eq!(not_utf8, Err(AnswerError::OutputUnfit("it is not UTF-8")));
        assert_eq!(encode(ExecutionOutput::Text("{".into()), ResponseFormat::Json), Err(AnswerError::OutputUnfit("it is not JSON")));
    }

    #[test]
    fn an_output_of_64_kib_is_taken_and_one_byte_more_is_not() {
        assert!(encode(ExecutionOutput::Text("x".repeat(MAX_OUTPUT_BYTES)), ResponseFormat::Text).is_ok());
        let refused = encode(ExecutionOutput::Bytes(vec![0; MAX_OUTPUT_BYTES + 1]), ResponseFormat::Bytes);
        assert_eq!(refused, Err(AnswerError::OutputTooLong { bytes: MAX_OUTPUT_BYTES + 1, max: MAX_OUTPUT_BYTES }));
    }

    #[test]
    fn every_character_of_the_longest_text_may_need_escaping_but_not_as_six_bytes() {
        assert!(encode(ExecutionOutput::Text("\n".repeat(MAX_OUTPUT_BYTES)), ResponseFormat::Text).is_ok());
        let refused = encode(ExecutionOutput::Text("\u{1}".repeat(MAX_OUTPUT_BYTES)), ResponseFormat::Text);
        assert!(matches!(refused, Err(AnswerError::EncodedTooLong { .. })));
    }

    #[test]
    fn the_longest_failure_fits_a_resume() {
        let longest = Resumed {
            success: false,
            metrics: ResourceMetrics { instructions: 1, time_ms: 1, compile_time_ms: Some(1) },
            error: Some("x".repeat(MAX_ERROR_BYTES)),
            compilation_note: Some("x".repeat(MAX_NOTE_BYTES)),
            receipt_sha256: Some([0; 32]),
            output_json: None,
        };
        assert!(borsh::to_vec(&longest).unwrap().len() <= MAX_RESUME_BYTES);
    }

    proptest! {
        #[test]
        fn what_was_submitted_can_be_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,100}") {
            let stored = encode(ExecutionOutput::Bytes(bytes.clone()), ResponseFormat::Bytes).unwrap();
            prop_assert!(matches!(stored.decode(), Some(ExecutionOutput::Bytes(back)) if back == bytes));
            let stored = encode(ExecutionOutput::Text(text.clone()), ResponseFormat::Text).unwrap();
            prop_assert!(matches!(stored.decode(), Some(ExecutionOutput::Text(back)) if back == text));
        }
    }
}
