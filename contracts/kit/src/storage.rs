//! The trie: one tag byte a table, then the record's key. A contract lists its tags in one place; they are appended, never reordered.

use std::marker::PhantomData;

use near_sdk::borsh::{self, BorshDeserialize, BorshSerialize};
use near_sdk::env;

/// Bytes the chain counts for a record besides its key and value (`num_extra_bytes_record`).
pub const RECORD_BYTES: u64 = 40;

/// Records of one kind, in borsh.
pub struct Table<V> {
    tag: u8,
    of: PhantomData<V>,
}

impl<V: BorshSerialize + BorshDeserialize> Table<V> {
    pub const fn new(tag: u8) -> Self {
        Self { tag, of: PhantomData }
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

/// What the chain counts for a record of a table.
pub fn record_bytes<V: BorshSerialize>(key_bytes: usize, value: &V) -> u64 {
    RECORD_BYTES + 1 + key_bytes as u64 + written(value).len() as u64
}

/// The stake of bytes that are kept, in yoctoNEAR.
pub fn storage_cost(bytes: u64) -> u128 {
    env::storage_byte_cost().as_yoctonear() * u128::from(bytes)
}

fn written<V: BorshSerialize>(value: &V) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_else(|e| env::panic_str(&format!("a record could not be written: {e}")))
}

fn read<V: BorshDeserialize>(bytes: Vec<u8>) -> V {
    V::try_from_slice(&bytes).unwrap_or_else(|e| env::panic_str(&format!("a record could not be read: {e}; was migrate called?")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::test_utils::VMContextBuilder;

    const NAMES: Table<String> = Table::new(7);

    #[test]
    fn a_record_lies_under_its_tag_and_key_in_borsh() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        NAMES.put(b"key", &"ab".to_string());
        assert_eq!(env::storage_read(b"\x07key"), Some(vec![2, 0, 0, 0, b'a', b'b']));
        assert_eq!((NAMES.get(b"key"), NAMES.has(b"key")), (Some("ab".to_string()), true));
        assert_eq!((NAMES.get(b"other"), NAMES.has(b"other")), (None, false));
    }

    #[test]
    fn what_is_taken_or_removed_is_gone() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        NAMES.put(b"key", &"ab".to_string());
        assert_eq!(NAMES.take(b"key"), Some("ab".to_string()));
        assert_eq!(NAMES.take(b"key"), None);
        NAMES.put(b"key", &"ab".to_string());
        assert!(NAMES.remove(b"key"));
        assert!(!NAMES.remove(b"key"));
    }

    #[test]
    fn the_bytes_of_a_record_are_those_the_chain_counts() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        let before = env::storage_usage();
        NAMES.put(b"key", &"ab".to_string());
        assert_eq!(env::storage_usage() - before, record_bytes(3, &"ab".to_string()));
        assert_eq!(storage_cost(2), 2 * 10u128.pow(19));
    }

    #[test]
    #[should_panic(expected = "a record could not be read: Unexpected length of input; was migrate called?")]
    fn a_record_of_another_layout_is_refused_in_words() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        env::storage_write(b"\x07key", &[9, 0, 0, 0]);
        NAMES.get(b"key");
    }
}
