//! NEP-297: one log line an event, standard `nco-register`. All logs of one call share 16 KiB (NEAR `max_total_log_length`); the longest
//! event, a policy with 64 advisories, is below 4 KB, and 60 expired workers are below 12.

use near_sdk::json_types::U64;
use near_sdk::serde::Serialize;
use near_sdk::{env, PublicKey};

use crate::measurements::MeasurementsHex;
use crate::policy::PolicyView;
use crate::worker::WorkerView;

const STANDARD: &str = "nco-register";
const VERSION: &str = "1.0.0";

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde", tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The key is on the account.
    WorkerRegistered([WorkerView; 1]),
    /// The key is on the account with a fresh allowance.
    WorkerRenewed([WorkerView; 1]),
    /// The key could not be put on the account, so the registration is gone.
    WorkerDropped([Gone; 1]),
    WorkerRevoked([Gone; 1]),
    WorkerExpired([Gone; 1]),
    CollateralUpdated([CollateralUpdated; 1]),
    MeasurementsAdded([MeasurementsHex; 1]),
    MeasurementsRemoved([MeasurementsHex; 1]),
    PolicySet([PolicyView; 1]),
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
pub struct Gone {
    pub public_key: PublicKey,
    /// Of the block, in nanoseconds.
    pub timestamp: U64,
}

/// Dates in seconds since 1970.
#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
pub struct CollateralUpdated {
    pub fmspc: String,
    pub tcb_evaluation_data_number: u32,
    pub tcb_info_issued: u64,
    pub qe_identity_issued: u64,
    pub pck_crl_issued: u64,
    pub root_ca_crl_issued: u64,
}

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
struct Line<'a> {
    standard: &'a str,
    version: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl Gone {
    pub fn now(public_key: PublicKey) -> [Self; 1] {
        [Self { public_key, timestamp: env::block_timestamp().into() }]
    }
}

impl Event {
    pub fn emit(&self) {
        env::log_str(&self.line());
    }

    fn line(&self) -> String {
        let line = Line { standard: STANDARD, version: VERSION, event: self };
        // Structs of strings and numbers: there is nothing that could fail to be written.
        format!("EVENT_JSON:{}", serde_json::to_string(&line).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_of_nep_297() {
        let gone = Gone { public_key: crate::access_key::from_raw(&[0; 32]), timestamp: 5.into() };
        let line = Event::WorkerRevoked([gone]).line();
        let head = r#"EVENT_JSON:{"standard":"nco-register","version":"1.0.0","event":"worker_revoked","data":[{"public_key":"ed25519:"#;
        assert!(line.starts_with(head), "{line}");
        assert!(line.ends_with(r#""timestamp":"5"}]}"#), "{line}");
    }
}
