//! The function-call key that a registered worker signs with.

use kit::storage::RECORD_BYTES;
use near_sdk::{env, AccountId, Allowance, GasWeight, NearToken, Promise, PublicKey};

use crate::error::OwnerError;
use crate::gas;

/// What a worker calls on the main contract, and nothing else.
pub const METHODS: [&str; 4] = ["resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve", "extend_execution"];

/// Gas for some thousands of answers; a renewal tops it up.
pub const DEFAULT_ALLOWANCE: NearToken = NearToken::from_near(5);

/// A stolen key can burn no more than this.
const HIGHEST_ALLOWANCE: NearToken = NearToken::from_near(100);

/// An answer that reads a large output costs about a hundredth of this; less would stop a worker at once.
const LOWEST_ALLOWANCE: NearToken = NearToken::from_millinear(100);

pub fn check_allowance(allowance: NearToken) -> Result<NearToken, OwnerError> {
    if (LOWEST_ALLOWANCE..=HIGHEST_ALLOWANCE).contains(&allowance) {
        return Ok(allowance);
    }
    Err(OwnerError::Allowance {
        value: allowance.as_yoctonear(),
        min: LOWEST_ALLOWANCE.as_yoctonear(),
        max: HIGHEST_ALLOWANCE.as_yoctonear(),
    })
}

/// Puts the key on this account, in place of the same key if it renews: one batch, so there is no moment without it.
pub fn put(public_key: PublicKey, renews: bool, allowance: NearToken, receiver: &AccountId, then: (&str, Vec<u8>)) -> Promise {
    let ours = env::current_account_id();
    let mut batch = Promise::new(ours.clone());
    if renews {
        batch = batch.delete_key(public_key.clone());
    }
    let allowance = Allowance::limited(allowance).unwrap_or(Allowance::Unlimited);
    let (callback, args) = then;
    let callback = Promise::new(ours).function_call_weight(callback.to_string(), args, NearToken::ZERO, gas::ON_KEY_ADDED, GasWeight(0));
    batch.add_access_key_allowance(public_key, allowance, receiver.clone(), METHODS.join(",")).then(callback)
}

/// Takes the key off this account. A promise of its own: a key that is not there fails only its own removal.
pub fn remove(public_key: PublicKey) {
    Promise::new(env::current_account_id()).delete_key(public_key).detach();
}

/// What the chain counts for such a key: nonce, permission, allowance, receiver and method names in borsh, beside the record's own.
/// Measured by `test_the_registrant_pays_for_exactly_the_bytes_kept_and_has_the_rest_back`.
pub fn storage_bytes(receiver: &AccountId) -> u64 {
    const PUBLIC_KEY: u64 = 1 + 32;
    const NONCE: u64 = 8;
    const PERMISSION: u64 = 1;
    const ALLOWANCE: u64 = 1 + 16;
    const LENGTH: u64 = 4;
    let methods: u64 = METHODS.iter().map(|name| LENGTH + name.len() as u64).sum();
    RECORD_BYTES + PUBLIC_KEY + NONCE + PERMISSION + ALLOWANCE + LENGTH + receiver.len() as u64 + LENGTH + methods
}

/// The raw ed25519 key, 32 bytes; nothing of another curve.
pub fn raw(public_key: &PublicKey) -> Option<[u8; 32]> {
    const ED25519: u8 = 0;
    match public_key.as_bytes() {
        [ED25519, raw @ ..] => raw.try_into().ok(),
        _ => None,
    }
}

/// The key whose raw bytes these are.
pub fn from_raw(raw: &[u8; 32]) -> PublicKey {
    const ED25519: u8 = 0;
    let bytes = [&[ED25519], &raw[..]].concat();
    PublicKey::try_from(bytes).unwrap_or_else(|_| env::panic_str("32 bytes are an ed25519 key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_raw_bytes_and_back() {
        let key = from_raw(&[3; 32]);
        assert_eq!(raw(&key), Some([3; 32]));
    }

    #[test]
    fn a_key_of_another_curve_is_none_of_ours() {
        let secp = PublicKey::try_from([&[1u8][..], &[5; 64]].concat()).unwrap();
        assert_eq!(raw(&secp), None);
    }

    #[test]
    fn the_allowance_is_bounded_on_both_sides() {
        assert_eq!(check_allowance(DEFAULT_ALLOWANCE), Ok(DEFAULT_ALLOWANCE));
        assert!(check_allowance(NearToken::ZERO).is_err());
        assert!(check_allowance(NearToken::from_near(101)).is_err());
    }
}
