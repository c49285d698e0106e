//! Gas that is set aside or asked for. Figures measured in nearcore's VM; the acceptance tests hold them.

use near_sdk::Gas;

/// Set aside for the callback of a yield; what the caller attached beyond the minimum comes on top.
pub const YIELD_CALLBACK: Gas = Gas::from_tgas(50);

/// For `on_refund`: it writes a claim when a transfer has failed, else does nothing.
pub const ON_REFUND: Gas = Gas::from_tgas(3);

/// The dearest settlement: the longest input freed, the longest output handed to a caller's callback, a refund and its callback.
/// Measured at 23 Tgas in nearcore's VM; the rest is for the depth of a real chain's trie.
pub const DEAREST_SETTLEMENT: Gas = Gas::from_tgas(30);

/// What the timed-out callback itself needs to yield again.
pub const YIELD_AGAIN: Gas = Gas::from_tgas(4);

/// `request_execution` with an empty input and the longest source: the callback's share and what the call burns.
const REQUEST_BASE: Gas = Gas::from_tgas(55);

/// An input that travels in the event is logged (0.3 Ggas a byte for decoding alone), each quote in it as four bytes.
const LOGGED_GAS_A_BYTE: u64 = 2_000_000_000;

/// No event is longer than 16 KiB.
const MOST_LOGGED_GAS: u64 = 8_000_000_000_000;

/// Each byte of input is parsed and written to state.
const STORED_GAS_A_BYTE: u64 = 220_000_000;

/// The least gas to attach to `request_execution`.
pub fn least_for_request(input_bytes: u64) -> Gas {
    let logged = input_bytes.saturating_mul(LOGGED_GAS_A_BYTE).min(MOST_LOGGED_GAS);
    let stored = input_bytes.saturating_mul(STORED_GAS_A_BYTE);
    Gas::from_gas(REQUEST_BASE.as_gas().saturating_add(logged).saturating_add(stored))
}

/// Whether a timed-out callback with this much gas left may yield again and leave the next one enough for any answer.
pub const fn can_yield_again(left: Gas) -> bool {
    left.as_gas() >= YIELD_AGAIN.as_gas() + DEAREST_SETTLEMENT.as_gas()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_gas_grows_with_the_input_and_holds_the_callbacks_share() {
        assert!(least_for_request(0) > YIELD_CALLBACK);
        assert!(least_for_request(1_000_000) > least_for_request(0));
        assert_eq!(least_for_request(u64::MAX).as_gas(), u64::MAX);
    }

    #[test]
    fn the_share_of_a_callback_pays_for_yielding_again_and_for_the_dearest_answer() {
        assert!(can_yield_again(YIELD_CALLBACK));
        assert!(!can_yield_again(DEAREST_SETTLEMENT));
    }
}
