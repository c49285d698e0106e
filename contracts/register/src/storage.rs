//! The trie: one tag byte a table. Tags are appended, never reordered.

use kit::storage::Table;

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
pub const WORKERS: Table<Worker> = Table::new(Tag::Workers as u8);
/// By the raw ed25519 key, 32 bytes; never removed.
pub const REVOKED: Table<Tombstone> = Table::new(Tag::Revoked as u8);
/// By FMSPC, 6 bytes.
pub const COLLATERAL: Table<StoredCollateral> = Table::new(Tag::Collateral as u8);
