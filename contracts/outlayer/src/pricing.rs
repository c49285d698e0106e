//! What a run costs. Integers, rounded down; nothing can overflow below the bounds of `guarded`.

use near_sdk::near;

use crate::error::OwnerError;
use crate::limits::{Limits, MAX_COMPILE_SECONDS};
use crate::outcome::ResourceMetrics;

const INSTRUCTIONS_A_UNIT: u64 = 1_000_000;
const MS_A_SECOND: u64 = 1_000;

/// All in yoctoNEAR.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pricing {
    pub base_fee: u128,
    pub per_million_instructions_fee: u128,
    pub per_ms_fee: u128,
    pub per_compile_ms_fee: u128,
}

impl Pricing {
    pub const DEFAULT: Self = Self {
        base_fee: 10u128.pow(21),
        per_million_instructions_fee: 10u128.pow(14),
        per_ms_fee: 10u128.pow(17),
        per_compile_ms_fee: 10u128.pow(17),
    };

    /// The highest fees an owner may set: a slip of the keyboard, not a price, lies above.
    pub const HIGHEST: Self = Self {
        base_fee: 10u128.pow(25),
        per_million_instructions_fee: 10u128.pow(20),
        per_ms_fee: 10u128.pow(22),
        per_compile_ms_fee: 10u128.pow(22),
    };

    /// Prices that the owner may set.
    pub fn guarded(self) -> Result<Self, OwnerError> {
        let fees = [
            ("base_fee", self.base_fee, Self::HIGHEST.base_fee),
            ("per_million_instructions_fee", self.per_million_instructions_fee, Self::HIGHEST.per_million_instructions_fee),
            ("per_ms_fee", self.per_ms_fee, Self::HIGHEST.per_ms_fee),
            ("per_compile_ms_fee", self.per_compile_ms_fee, Self::HIGHEST.per_compile_ms_fee),
        ];
        match fees.into_iter().find(|(_, fee, max)| fee > max) {
            Some((name, fee, max)) => Err(OwnerError::FeeTooHigh { name, fee, max }),
            None => Ok(self),
        }
    }

    /// The payment that a request must bring: the price of its limits. `None` is compile only: the base fee.
    pub fn estimate(&self, limits: Option<&Limits>) -> u128 {
        limits.map_or(self.base_fee, |limits| {
            self.price(limits.max_instructions, limits.max_execution_seconds.saturating_mul(MS_A_SECOND), 0)
        })
    }

    /// What a successful run is charged: metrics count up to the request's limits, and the charge is never above `payable`.
    pub fn charge(&self, used: &ResourceMetrics, limits: Option<&Limits>, payable: u128) -> u128 {
        let (instructions, time_ms) = limits.map_or((0, 0), |limits| {
            let most_ms = limits.max_execution_seconds.saturating_mul(MS_A_SECOND);
            (used.instructions.min(limits.max_instructions), used.time_ms.min(most_ms))
        });
        let compile_ms = used.compile_time_ms.unwrap_or(0).min(MAX_COMPILE_SECONDS * MS_A_SECOND);
        self.price(instructions, time_ms, compile_ms).min(payable)
    }

    fn price(&self, instructions: u64, time_ms: u64, compile_ms: u64) -> u128 {
        let units = u128::from(instructions / INSTRUCTIONS_A_UNIT);
        self.base_fee
            .saturating_add(units.saturating_mul(self.per_million_instructions_fee))
            .saturating_add(u128::from(time_ms).saturating_mul(self.per_ms_fee))
            .saturating_add(u128::from(compile_ms).saturating_mul(self.per_compile_ms_fee))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Caps;
    use proptest::prelude::*;

    fn metrics(instructions: u64, time_ms: u64, compile_time_ms: Option<u64>) -> ResourceMetrics {
        ResourceMetrics { instructions, time_ms, compile_time_ms }
    }

    #[test]
    fn the_default_limits_cost_seven_thousandths_and_a_bit() {
        // 1e21 + 1,000 x 1e14 + 60,000 x 1e17
        assert_eq!(Pricing::DEFAULT.estimate(Some(&Limits::DEFAULT)), 7_000_100_000_000_000_000_000);
        assert_eq!(Pricing::DEFAULT.estimate(None), 1_000_000_000_000_000_000_000);
    }

    #[test]
    fn instructions_are_billed_by_whole_millions() {
        let base = Pricing::DEFAULT.base_fee;
        let charge = |used| Pricing::DEFAULT.charge(&used, Some(&Limits::DEFAULT), u128::MAX);
        assert_eq!(charge(metrics(999_999, 0, None)), base);
        assert_eq!(charge(metrics(1_000_000, 2, Some(3))), base + 10u128.pow(14) + 5 * 10u128.pow(17));
    }

    #[test]
    fn metrics_above_the_limits_are_billed_at_the_limits() {
        let used = metrics(u64::MAX, u64::MAX, None);
        let charge = Pricing::DEFAULT.charge(&used, Some(&Limits::DEFAULT), u128::MAX);
        assert_eq!(charge, Pricing::DEFAULT.estimate(Some(&Limits::DEFAULT)));
    }

    #[test]
    fn compile_only_bills_no_run() {
        assert_eq!(Pricing::DEFAULT.charge(&metrics(10u64.pow(9), 500, None), None, u128::MAX), Pricing::DEFAULT.base_fee);
    }

    #[test]
    fn the_highest_prices_and_caps_stay_far_below_overflow() {
        let dearest = Limits {
            max_instructions: Caps::HIGHEST.max_instructions,
            max_memory_mb: 1,
            max_execution_seconds: Caps::HIGHEST.max_execution_seconds,
        };
        assert_eq!(Pricing::HIGHEST.guarded(), Ok(Pricing::HIGHEST));
        assert!(Pricing::HIGHEST.estimate(Some(&dearest)) < u128::MAX / 10u128.pow(6));
    }

    #[test]
    fn a_price_above_the_bound_is_refused_by_name() {
        let slip = Pricing { per_ms_fee: Pricing::HIGHEST.per_ms_fee + 1, ..Pricing::DEFAULT };
        assert!(matches!(slip.guarded(), Err(OwnerError::FeeTooHigh { name: "per_ms_fee", .. })));
    }

    proptest! {
        #[test]
        fn no_charge_is_above_the_payment(i: u64, t: u64, c: Option<u64>, payable: u128, run: bool) {
            let limits = run.then_some(Limits::DEFAULT);
            prop_assert!(Pricing::HIGHEST.charge(&metrics(i, t, c), limits.as_ref(), payable) <= payable);
        }

        #[test]
        fn a_run_within_its_limits_never_costs_more_than_the_estimate(i in 0..=10u64.pow(9), t in 0..=60_000u64) {
            let estimate = Pricing::DEFAULT.estimate(Some(&Limits::DEFAULT));
            prop_assert!(Pricing::DEFAULT.charge(&metrics(i, t, None), Some(&Limits::DEFAULT), u128::MAX) <= estimate);
        }
    }
}
