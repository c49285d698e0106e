//! The trie: one tag byte a table. Tags are appended, never reordered.

use std::marker::PhantomData;

use near_sdk::borsh::{self, BorshDeserialize, BorshSerialize};
use near_sdk::env;

use crate::outcome::Outcome;
use crate::output::StoredOutput;
use crate::projects::{Project, Version};
use crate::request::Request;
use crate::secrets::Secret;

#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Tag {
    Requests = 0,
    Inputs = 1,
    Outputs = 2,
    PendingIds = 3,
    Outcomes = 4,
    Claims = 5,
    Secrets = 6,
    SecretsOfOwner = 7,
    ProfilesOfAccessor = 8,
    Projects = 9,
    ProjectsOfOwner = 10,
    Versions = 11,
    VersionsOfProject = 12,
}

/// By request id.
pub const REQUESTS: Table<Request> = Table::new(Tag::Requests);
/// Inputs that are not empty, by request id, so that reading a request costs the same whatever its input.
pub const INPUTS: Table<String> = Table::new(Tag::Inputs);
/// Outputs too large to travel with the resume, by request id.
pub const OUTPUTS: Table<StoredOutput> = Table::new(Tag::Outputs);
/// By request id.
pub const OUTCOMES: Table<Outcome> = Table::new(Tag::Outcomes);
/// Refunds that could not be delivered, in yoctoNEAR, by account id.
pub const CLAIMS: Table<u128> = Table::new(Tag::Claims);
/// By `SecretKey::id`.
pub const SECRETS: Table<Secret> = Table::new(Tag::Secrets);
/// By the sha256 of the project id.
pub const PROJECTS: Table<Project> = Table::new(Tag::Projects);
/// By `Version::id`.
pub const VERSIONS: Table<Version> = Table::new(Tag::Versions);

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

    pub fn has(&self, key: &[u8]) -> bool {
        env::storage_has_key(&self.key(key))
    }

    pub fn put(&self, key: &[u8], value: &V) {
        env::storage_write(&self.key(key), &written(value));
    }

    /// Removes and returns.
    pub fn take(&self, key: &[u8]) -> Option<V> {
        env::storage_remove(&self.key(key)).then(env::storage_get_evicted).flatten().map(read)
    }

    /// Removes; false when there was nothing.
    pub fn remove(&self, key: &[u8]) -> bool {
        env::storage_remove(&self.key(key))
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [&[self.tag], key].concat()
    }
}

/// The key of a request's records; big endian, so that a dump of the state reads in order.
pub fn id_key(request_id: u64) -> [u8; 8] {
    request_id.to_be_bytes()
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
