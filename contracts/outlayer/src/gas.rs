//! Gas that is set aside or asked for. Figures measured in nearcore's VM; the acceptance tests hold them.

use near_sdk::Gas;

/// Set aside for the callback of a yield; what the caller attached beyond the minimum comes on top.
pub const YIELD_CALLBACK: Gas = Gas::from_tgas(50);

/// For `on_refund`: it writes a claim when a transfer has failed, else does nothing.
pub const ON_REFUND: Gas = Gas::from_tgas(5);

/// The dearest settlement: 64 KiB of output that all has to be escaped, through a caller's callback, with a refund and its callback.
pub const DEAREST_SETTLEMENT: Gas = Gas::from_tgas(36);

/// What the timed-out callback itself needs to yield again.
pub const YIELD_AGAIN: Gas = Gas::from_tgas(4);

/// `request_execution` without input: the callback's share, the yield, parsing, storing and the event, source of the greatest length.
const REQUEST_BASE: Gas = Gas::from_tgas(58);

/// Each byte of input is parsed, written to state and, when it travels in the event, escaped and logged.
const REQUEST_GAS_A_BYTE: u64 = 150_000_000;

/// The least gas to attach to `request_execution`.
pub const fn least_for_request(input_bytes: u64) -> Gas {
    Gas::from_gas(REQUEST_BASE.as_gas().saturating_add(REQUEST_GAS_A_BYTE.saturating_mul(input_bytes)))
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
