//! A registered worker, and what is left of a revoked one.

use kit::storage::{record_bytes, storage_cost, RECORD_BYTES};
use kit::text;
use near_sdk::json_types::U64;
use near_sdk::{near, AccountId, PublicKey};

use crate::access_key;
use crate::measurements::{Measurements, MeasurementsHex};

/// All times in nanoseconds since 1970.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Worker {
    /// Raw ed25519 key.
    pub public_key: [u8; 32],
    pub measurements: Measurements,
    /// Digest of the security settings that the quote covers.
    pub settings_sha256: [u8; 32],
    /// What the quote was made for; the lifetime counts from it.
    pub seen_block_time_ns: u64,
    pub registered_ns: u64,
    pub expires_ns: u64,
    pub tcb_status: String,
    pub advisory_ids: Vec<String>,
    pub fmspc: [u8; 6],
    /// Has the storage deposit back when the worker goes.
    pub payer: AccountId,
    pub renewals: u32,
}

/// `get_worker`, `list_workers` and the events. Times in nanoseconds since 1970.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerView {
    pub public_key: PublicKey,
    pub measurements: MeasurementsHex,
    pub settings_sha256: String,
    pub seen_block_time: U64,
    pub registered_at: U64,
    pub expires_at: U64,
    pub expired: bool,
    pub tcb_status: String,
    pub advisory_ids: Vec<String>,
    pub fmspc: String,
    pub payer: AccountId,
    pub renewals: u32,
}

/// Stays for ever.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tombstone {
    pub revoked_ns: u64,
}

impl Worker {
    /// The end of the lifetime itself is no longer within it.
    pub fn is_expired(&self, now_ns: u64) -> bool {
        now_ns >= self.expires_ns
    }

    pub fn near_key(&self) -> PublicKey {
        access_key::from_raw(&self.public_key)
    }

    /// The deposit for a worker, in yoctoNEAR: its record, its places in two lists, its access key.
    pub fn deposit(&self, receiver: &AccountId) -> u128 {
        let bytes = record_bytes(KEY_BYTES, self) + LISTS_BYTES + access_key::storage_bytes(receiver);
        storage_cost(bytes)
    }

    pub fn view(&self, now_ns: u64) -> WorkerView {
        WorkerView {
            public_key: self.near_key(),
            measurements: self.measurements.hex(),
            settings_sha256: text::to_hex(&self.settings_sha256),
            seen_block_time: self.seen_block_time_ns.into(),
            registered_at: self.registered_ns.into(),
            expires_at: self.expires_ns.into(),
            expired: self.is_expired(now_ns),
            tcb_status: self.tcb_status.clone(),
            advisory_ids: self.advisory_ids.clone(),
            fmspc: text::to_hex(&self.fmspc),
            payer: self.payer.clone(),
            renewals: self.renewals,
        }
    }
}

const KEY_BYTES: usize = 32;

/// Two records in the list of all, two in that of the RTMR3, and the length of the latter, which each of them pays for.
const LISTS_BYTES: u64 = {
    const INDEX: u64 = 4;
    const KEY: u64 = KEY_BYTES as u64;
    let of_all = 2 * (RECORD_BYTES + 1 + 1 + INDEX + KEY);
    let of_rtmr3 = 2 * (RECORD_BYTES + 1 + 32 + 1 + INDEX + KEY);
    let length = RECORD_BYTES + 1 + 32 + INDEX;
    of_all + of_rtmr3 + length
};

/// What a tombstone costs for ever, in yoctoNEAR.
pub fn tombstone_deposit() -> u128 {
    storage_cost(record_bytes(KEY_BYTES, &Tombstone { revoked_ns: 0 }))
}
