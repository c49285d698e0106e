//! NEP-297: one log line an event. All logs of one call share 16 KiB (NEAR `max_total_log_length`).

use near_sdk::json_types::U128;
use near_sdk::serde::Serialize;
use near_sdk::{env, AccountId};

use crate::outcome::ResourceMetrics;
use crate::source::CodeSource;
use crate::Outlayer;

pub const DEFAULT_STANDARD: &str = "near-outlayer";
pub const DEFAULT_VERSION: &str = "1.0.0";
pub const MAX_LABEL_BYTES: usize = 32;

/// The longest `request_data`, quoted, that an event line takes: the rest of the line (labels, data id, time) is below 400 bytes.
/// Measured by `an_input_that_swells_when_it_is_quoted_stays_in_state`.
pub const MAX_QUOTED_DATA_BYTES: usize = 15_600;

/// How long a JSON text is as a JSON string: it holds no control characters, so quotes and backslashes are all that grows.
pub fn quoted_bytes(json: &str) -> usize {
    json.len() + json.bytes().filter(|&b| b == b'"' || b == b'\\').count()
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
struct Line<'a, T> {
    standard: &'a str,
    version: &'a str,
    event: &'a str,
    data: [T; 1],
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
pub struct Requested<'a> {
    /// JSON within JSON, as workers expect it.
    pub request_data: &'a str,
    pub data_id: [u8; 32],
    pub timestamp: u64,
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
pub struct Extended {
    pub request_id: u64,
    pub data_id: [u8; 32],
    pub deadline: u64,
    pub timestamp: u64,
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
pub struct Completed<'a> {
    pub request_id: u64,
    pub sender_id: &'a AccountId,
    pub code_source: &'a CodeSource,
    pub resources_used: ResourceMetrics,
    pub success: bool,
    pub error_message: Option<&'a str>,
    pub payment_charged: U128,
    pub payment_refunded: U128,
    pub compilation_note: Option<&'a str>,
    pub timestamp: u64,
}

impl Outlayer {
    pub(crate) fn emit_requested(&self, event: &Requested) {
        env::log_str(&self.line("execution_requested", event));
    }

    pub(crate) fn emit_extended(&self, event: &Extended) {
        env::log_str(&self.line("execution_extended", event));
    }

    pub(crate) fn emit_completed(&self, event: &Completed) {
        env::log_str(&self.line("execution_completed", event));
    }

    fn line<T: Serialize>(&self, event: &str, data: &T) -> String {
        let line = Line { standard: &self.event_standard, version: &self.event_version, event, data: [data] };
        // Structs of strings and numbers: there is nothing that could fail to be written.
        format!("EVENT_JSON:{}", serde_json::to_string(&line).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_length_of_a_quoted_json_text_is_known_without_quoting_it(text in ".{0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::to_string(&json).unwrap().len(), quoted_bytes(&json) + 2);
        }
    }
}
