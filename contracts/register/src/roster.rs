//! A set of byte strings that can be listed by the page. Every operation costs the same however long it is.
//!
//! Records under its prefix: the length (none when empty), `e` and an index to the item, `p` and the item to its index. Removing moves the
//! last item into the gap, so the order of a list is not kept.

use near_sdk::env;

use crate::storage::Tag;

pub struct Roster {
    prefix: Vec<u8>,
    len: u32,
}

impl Roster {
    /// A set whose length the caller keeps.
    pub fn with_len(tag: Tag, len: u32) -> Self {
        Self { prefix: vec![tag as u8], len }
    }

    /// One of many sets under a tag, by a 32-byte name; its length is a record of its own.
    pub fn open(tag: Tag, name: &[u8; 32]) -> Self {
        let prefix = [&[tag as u8], &name[..]].concat();
        let len = env::storage_read(&prefix).map_or(0, index);
        Self { prefix, len }
    }

    pub fn len(&self) -> u32 {
        self.len
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
    use std::collections::BTreeSet;

    const NAME: [u8; 32] = [7; 32];

    fn items(roster: &Roster) -> BTreeSet<Vec<u8>> {
        roster.page(0, u64::MAX).into_iter().collect()
    }

    #[test]
    fn a_roster_holds_what_a_set_would_hold() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        let (mut roster, mut model) = (Roster::with_len(Tag::WorkerKeys, 0), BTreeSet::new());
        // A walk that inserts and removes each of seven items in changing order.
        for step in 0u32..200 {
            let item = vec![(step * step % 7) as u8];
            if step % 3 == 0 {
                assert_eq!(roster.remove(&item), model.remove(&item));
            } else {
                assert_eq!(roster.insert(&item), model.insert(item.clone()));
            }
            assert_eq!(roster.has(&item), model.contains(&item));
            assert_eq!(items(&roster), model);
            assert_eq!(roster.len() as usize, model.len());
        }
    }

    #[test]
    fn an_emptied_roster_leaves_no_byte_behind() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        let before = env::storage_usage();
        let mut roster = Roster::open(Tag::KeysOfRtmr3, &NAME);
        roster.insert(b"first");
        roster.insert(b"second");
        roster.save();
        assert!(env::storage_usage() > before);

        let mut roster = Roster::open(Tag::KeysOfRtmr3, &NAME);
        roster.remove(b"first");
        roster.remove(b"second");
        roster.save();
        assert_eq!(env::storage_usage(), before);
    }

    #[test]
    fn a_page_beyond_the_end_is_empty() {
        near_sdk::testing_env!(VMContextBuilder::new().build());
        let mut roster = Roster::with_len(Tag::WorkerKeys, 0);
        roster.insert(b"a");
        roster.insert(b"b");
        assert_eq!(roster.page(1, 10), vec![b"b".to_vec()]);
        assert!(roster.page(2, 10).is_empty() && roster.page(u64::MAX, u64::MAX).is_empty());
    }
}
