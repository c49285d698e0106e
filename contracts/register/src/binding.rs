//! What a quote must be made for: the report data binds the worker's key, the accounts, a recent block's time and the settings in force.

use kit::text;
use near_sdk::{borsh, env, AccountId};

use crate::error::BindingError;

const DOMAIN: &[u8] = b"nco/register/v1";

/// A quote has no date of its own: it is as fresh as the block time it names.
pub const MAX_AGE_NS: u64 = 10 * 60 * 1_000_000_000;

/// Digest of the security settings of a worker that names none.
pub const NO_SETTINGS: [u8; 32] = [0; 32];

pub struct Context<'a> {
    pub register_account: &'a AccountId,
    pub main_contract: &'a AccountId,
    /// Nanoseconds since 1970.
    pub seen_block_time: u64,
    pub settings_sha256: [u8; 32],
}

impl Context<'_> {
    /// REPORTDATA, 64 bytes: the raw ed25519 key, then sha256(domain ‖ borsh of the context).
    pub fn report_data(&self, public_key: &[u8; 32]) -> [u8; 64] {
        let fields = (self.register_account, self.main_contract, self.seen_block_time, self.settings_sha256);
        let context = borsh::to_vec(&fields).unwrap_or_default();
        let mut report_data = [0; 64];
        report_data[..32].copy_from_slice(public_key);
        report_data[32..].copy_from_slice(&env::sha256_array([DOMAIN, &context].concat()));
        report_data
    }

    /// Holds what a quote says against what it must say.
    pub fn check(&self, public_key: &[u8; 32], found: &[u8; 64]) -> Result<(), BindingError> {
        let expected = self.report_data(public_key);
        if found[..32] != expected[..32] {
            return Err(BindingError::Key { found: text::to_hex(&found[..32]), expected: text::to_hex(&expected[..32]) });
        }
        if found[32..] != expected[32..] {
            return Err(BindingError::Context {
                found: text::to_hex(&found[32..]),
                expected: text::to_hex(&expected[32..]),
                register_account: self.register_account.clone(),
                main_contract: self.main_contract.clone(),
                seen_block_time: self.seen_block_time,
                settings_sha256: text::to_hex(&self.settings_sha256),
            });
        }
        Ok(())
    }
}

/// The block time must be there, have been, and not be long ago.
pub fn check_time(seen_block_time: Option<u64>, now: u64) -> Result<u64, BindingError> {
    let seen = seen_block_time.ok_or(BindingError::NoTime)?;
    if seen > now {
        return Err(BindingError::Future { seen, now });
    }
    if now - seen > MAX_AGE_NS {
        return Err(BindingError::Stale { seen, now, age_s: (now - seen) / 1_000_000_000, max_s: MAX_AGE_NS / 1_000_000_000 });
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's hashlib: sha256(b"nco/register/v1" + u32 length and text of both accounts + u64 + 32 bytes, all little endian).
    const KNOWN: &str = "68acc2ba6ac0b47a3eea720698abb386928cf8d468cdbb114fb07a54574951cb";

    #[test]
    fn the_report_data_is_the_known_one() {
        let (register_account, main_contract) = ("worker.near".parse().unwrap(), "outlayer.near".parse().unwrap());
        let context = Context {
            register_account: &register_account,
            main_contract: &main_contract,
            seen_block_time: 1_750_000_000_000_000_001,
            settings_sha256: [7; 32],
        };
        let report_data = context.report_data(&[9; 32]);
        assert_eq!(report_data[..32], [9; 32]);
        assert_eq!(text::to_hex(&report_data[32..]), KNOWN);
        assert_eq!(context.check(&[9; 32], &report_data), Ok(()));
        assert!(matches!(context.check(&[8; 32], &report_data), Err(BindingError::Key { .. })));
        let later = Context { seen_block_time: 1_750_000_000_000_000_002, ..context };
        assert!(matches!(later.check(&[9; 32], &report_data), Err(BindingError::Context { .. })));
    }

    #[test]
    fn a_time_is_good_for_ten_minutes_and_never_ahead() {
        let now = 1_750_000_000_000_000_000;
        assert_eq!(check_time(Some(now), now), Ok(now));
        assert_eq!(check_time(Some(now - MAX_AGE_NS), now), Ok(now - MAX_AGE_NS));
        assert!(matches!(check_time(Some(now - MAX_AGE_NS - 1), now), Err(BindingError::Stale { max_s: 600, .. })));
        assert!(matches!(check_time(Some(now + 1), now), Err(BindingError::Future { .. })));
        assert_eq!(check_time(None, now), Err(BindingError::NoTime));
    }
}
