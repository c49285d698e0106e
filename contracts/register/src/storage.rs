//! The trie: one tag byte a table. Tags are appended, never reordered.

use std::marker::PhantomData;

use near_sdk::borsh::{self, BorshDeserialize, BorshSerialize};
use near_sdk::env;

use crate::collateral::StoredCollateral;
use crate::worker::{Tombstone, Worker};

#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Tag {
    Workers = 0,
    WorkerKeys = 1,
    KeysOfRtmr3 = 2,
    Revoked = 3,
    Measurements = 4,
    Collateral = 5,
    Fmspcs = 6,
}

/// By the raw ed25519 key, 32 bytes.
pub const WORKERS: Table<Worker> = Table::new(Tag::Workers);
/// By the raw ed25519 key, 32 bytes; never removed.
pub const REVOKED: Table<Tombstone> = Table::new(Tag::Revoked);
/// By FMSPC, 6 bytes.
pub const COLLATERAL: Table<StoredCollateral> = Table::new(Tag::Collateral);

/// Bytes the chain counts for a record besides its key and value (`num_extra_bytes_record`).
pub const RECORD_BYTES: u64 = 40;

pub struct Table<V> {
    tag: u8,
    of: PhantomData<V>,
}

impl<V: BorshSerialize + BorshDeserialize> Table<V> {
    const fn new(tag: Tag) -> Self {
        Self { tag: tag as u8, of: PhantomData }
    }

    pub fn get(&self, key: &[u8]) -> Option<V> {
        env::storage_read(&self.key(key)).map(read)
    }

    pub fn put(&self, key: &[u8], value: &V) {
        env::storage_write(&self.key(key), &written(value));
    }

    /// Removes; false when there was nothing.
    pub fn remove(&self, key: &[u8]) -> bool {
        env::storage_remove(&self.key(key))
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [&[self.tag], key].concat()
    }
}

/// What the chain counts for a record of a table.
pub fn record_bytes<V: BorshSerialize>(key_bytes: usize, value: &V) -> u64 {
    RECORD_BYTES + 1 + key_bytes as u64 + written(value).len() as u64
}

fn written<V: BorshSerialize>(value: &V) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_else(|e| env::panic_str(&format!("a record could not be written: {e}")))
}

fn read<V: BorshDeserialize>(bytes: Vec<u8>) -> V {
    V::try_from_slice(&bytes).unwrap_or_else(|e| env::panic_str(&format!("a record could not be read: {e}; was migrate called?")))
}
