//! A set of byte strings that can be listed by the page. Every operation costs the same however long it is.
//!
//! Records under its prefix: the length (none when empty), `e` and an index to the item, `p` and the item to its index. Removing moves the
//! last item into the gap, so the order of a list is not kept.

use near_sdk::env;

use crate::storage::RECORD_BYTES;

pub struct Roster {
    prefix: Vec<u8>,
    len: u32,
}

const INDEX_BYTES: u64 = 4;

/// Tag and name.
const NAMED_PREFIX_BYTES: u64 = 1 + 32;

impl Roster {
    /// A set whose length the caller keeps.
    pub fn with_len(tag: u8, len: u32) -> Self {
        Self { prefix: vec![tag], len }
    }

    /// One of many sets under a tag, by a 32-byte name; its length is a record of its own.
    pub fn open(tag: u8, name: &[u8; 32]) -> Self {
        let prefix = [&[tag], &name[..]].concat();
        let len = env::storage_read(&prefix).map_or(0, index);
        Self { prefix, len }
    }

    pub fn len(&self) -> u32 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn has(&self, item: &[u8]) -> bool {
        env::storage_has_key(&self.place_key(item))
    }

    /// False when it was there already.
    pub fn insert(&mut self, item: &[u8]) -> bool {
        let place = self.place_key(item);
        if env::storage_has_key(&place) {
            return false;
        }
        env::storage_write(&place, &self.len.to_le_bytes());
        env::storage_write(&self.item_key(self.len), item);
        self.len += 1;
        true
    }

    /// False when it was not there.
    pub fn remove(&mut self, item: &[u8]) -> bool {
        if !env::storage_remove(&self.place_key(item)) {
            return false;
        }
        let gap = env::storage_get_evicted().map_or(0, index);
        self.len -= 1;
        let last_key = self.item_key(self.len);
        if gap == self.len {
            env::storage_remove(&last_key);
            return true;
        }
        env::storage_remove(&last_key);
        let last = env::storage_get_evicted().unwrap_or_default();
        env::storage_write(&self.place_key(&last), &gap.to_le_bytes());
        env::storage_write(&self.item_key(gap), &last);
        true
    }

    /// At most `limit` items from `from` on.
    pub fn page(&self, from: u64, limit: u64) -> Vec<Vec<u8>> {
        let from = u32::try_from(from).unwrap_or(u32::MAX).min(self.len);
        let end = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(from).min(self.len);
        (from..end).filter_map(|i| env::storage_read(&self.item_key(i))).collect()
    }

    /// Writes the length of a set that was opened.
    pub fn save(self) {
        if self.len == 0 {
            env::storage_remove(&self.prefix);
        } else {
            env::storage_write(&self.prefix, &self.len.to_le_bytes());
        }
    }

    /// What the chain will count for one more item of a set under a name, the length's record included when it is the first.
    pub fn bytes_of_next(&self, item_bytes: usize) -> u64 {
        let length = if self.len == 0 { RECORD_BYTES + NAMED_PREFIX_BYTES + INDEX_BYTES } else { 0 };
        length + Self::bytes_of_item(item_bytes)
    }

    /// What the chain counts for one item of a set under a name.
    pub const fn bytes_of_item(item_bytes: usize) -> u64 {
        2 * (RECORD_BYTES + NAMED_PREFIX_BYTES + 1 + INDEX_BYTES + item_bytes as u64)
    }

    fn item_key(&self, index: u32) -> Vec<u8> {
        [&self.prefix[..], b"e", &index.to_le_bytes()].concat()
    }

    fn place_key(&self, item: &[u8]) -> Vec<u8> {
        [&self.prefix[..], b"p", item].concat()
    }
}

fn index(bytes: Vec<u8>) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::test_utils::VMContextBuilder;
    use near_sdk::testing_env;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const TAG: u8 = 3;
    const NAME: [u8; 32] = [7; 32];

    fn items(roster: &Roster) -> BTreeSet<Vec<u8>> {
        roster.page(0, u64::MAX).into_iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_roster_holds_what_a_set_would_hold(steps in proptest::collection::vec((any::<bool>(), 0u8..12), 0..60)) {
            near_sdk::mock::with_mocked_blockchain(|chain| drop(chain.take_storage()));
            testing_env!(VMContextBuilder::new().build());
            let (mut roster, mut model) = (Roster::with_len(TAG, 0), BTreeSet::new());
            for (insert, item) in steps {
                let item = vec![item];
                if insert {
                    prop_assert_eq!(roster.insert(&item), model.insert(item.clone()));
                } else {
                    prop_assert_eq!(roster.remove(&item), model.remove(&item));
                }
                prop_assert_eq!(roster.has(&item), model.contains(&item));
                prop_assert_eq!(&items(&roster), &model);
                prop_assert_eq!(roster.len() as usize, model.len());
            }
        }
    }

    #[test]
    fn an_emptied_roster_leaves_no_byte_behind_and_the_forecast_is_exact() {
        testing_env!(VMContextBuilder::new().build());
        let before = env::storage_usage();
        let mut roster = Roster::open(TAG, &NAME);
        let forecast = roster.bytes_of_next(5);
        roster.insert(b"first");
        roster.save();
        assert_eq!(env::storage_usage() - before, forecast);

        let mut roster = Roster::open(TAG, &NAME);
        let second = roster.bytes_of_next(6);
        roster.insert(b"second");
        roster.save();
        assert_eq!(env::storage_usage() - before, forecast + second);

        let mut roster = Roster::open(TAG, &NAME);
        roster.remove(b"first");
        roster.remove(b"second");
        roster.save();
        assert_eq!(env::storage_usage(), before);
    }

    #[test]
    fn a_set_under_a_name_lies_where_deployed_contracts_have_it() {
        testing_env!(VMContextBuilder::new().build());
        let mut roster = Roster::open(TAG, &NAME);
        roster.insert(b"item");
        roster.save();
        let prefix = [&[TAG], &NAME[..]].concat();
        let stored = |key: &[u8]| env::storage_read(&[&prefix[..], key].concat());
        assert_eq!(stored(b""), Some(vec![1, 0, 0, 0]));
        assert_eq!(stored(b"e\0\0\0\0"), Some(b"item".to_vec()));
        assert_eq!(stored(b"pitem"), Some(vec![0, 0, 0, 0]));
    }

    #[test]
    fn a_page_beyond_the_end_is_empty() {
        testing_env!(VMContextBuilder::new().build());
        let mut roster = Roster::with_len(TAG, 0);
        roster.insert(b"a");
        roster.insert(b"b");
        assert_eq!(roster.page(1, 10), vec![b"b".to_vec()]);
        assert!(roster.page(2, 10).is_empty() && roster.page(u64::MAX, u64::MAX).is_empty());
    }
}
