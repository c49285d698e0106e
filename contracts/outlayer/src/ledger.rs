//! What the contract owes, and the law that its balance always covers it.
//!
//! `balance >= pending payments + claims + storage stake`, where the stake counts the bytes that pending requests may yet write. Bytes
//! somebody paid a deposit for (secrets, projects, large inputs) are covered by that deposit, which is the stake itself: it goes back when
//! they are freed. All else (small requests, outputs on their way, outcomes) stands on the contract's own reserve: a request is refused
//! when the reserve does not reach. Money on its way to a payer has left the balance; if it comes back it becomes a claim.

use near_sdk::near;

/// Bytes a pending request may need beyond what it has written: its outcome, and a claim if its refund cannot be delivered.
/// Measured by `an_outcome_and_a_claim_fit_the_headroom_of_a_request`.
pub const HEADROOM_BYTES: u64 = 640;

/// All in yoctoNEAR.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Payments of pending requests, without the storage deposits of large inputs.
    pub pending_payments: u128,
    /// Refunds that could not be delivered.
    pub claims: u128,
    /// Fees ever charged.
    pub fees_collected: u128,
    pub fees_withdrawn: u128,
}

/// How a payment was split when its request ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bill {
    pub charged: u128,
    pub refunded: u128,
}

impl Ledger {
    /// A request comes in.
    pub fn open(&mut self, payment: u128, storage_deposit: u128) {
        self.pending_payments += payment - storage_deposit;
    }

    /// A request ends: what is not charged goes back, the storage deposit always.
    pub fn close(&mut self, payment: u128, storage_deposit: u128, charge: u128) -> Bill {
        let charged = charge.min(payment - storage_deposit);
        self.pending_payments -= payment - storage_deposit;
        self.fees_collected += charged;
        Bill { charged, refunded: payment - charged }
    }

    /// What the balance must hold.
    pub fn required(&self, storage_bytes: u64, pending_count: u32, yocto_a_byte: u128) -> u128 {
        let bytes = u128::from(storage_bytes) + u128::from(pending_count) * u128::from(HEADROOM_BYTES);
        self.pending_payments + self.claims + bytes * yocto_a_byte
    }

    /// What of the fees may leave: never what the law needs.
    pub fn withdrawable(&self, balance: u128, required: u128) -> u128 {
        (self.fees_collected - self.fees_withdrawn).min(balance.saturating_sub(required))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Open { payment: u64, storage_deposit: u64 },
        Close { nth: usize, charge: u64, delivered: bool },
        Claim,
        Withdraw,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (any::<u64>(), any::<u64>()).prop_map(|(payment, storage_deposit)| Step::Open { payment, storage_deposit }),
            (any::<usize>(), any::<u64>(), any::<bool>()).prop_map(|(nth, charge, delivered)| Step::Close { nth, charge, delivered }),
            Just(Step::Claim),
            Just(Step::Withdraw),
        ];
        proptest::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn the_balance_covers_what_is_owed_and_no_money_appears_or_vanishes(steps in steps()) {
            let mut ledger = Ledger::default();
            let (mut balance, mut paid_in, mut paid_out) = (0u128, 0u128, 0u128);
            let mut open: Vec<(u128, u128)> = Vec::new();
            for step in steps {
                match step {
                    Step::Open { payment, storage_deposit } => {
                        let payment = u128::from(payment) + u128::from(storage_deposit);
                        ledger.open(payment, storage_deposit.into());
                        open.push((payment, storage_deposit.into()));
                        balance += payment;
                        paid_in += payment;
                    }
                    Step::Close { nth, charge, delivered } if !open.is_empty() => {
                        let (payment, storage_deposit) = open.remove(nth % open.len());
                        let bill = ledger.close(payment, storage_deposit, charge.into());
                        prop_assert_eq!(bill.charged + bill.refunded, payment);
                        prop_assert!(bill.refunded >= storage_deposit);
                        if delivered {
                            balance -= bill.refunded;
                            paid_out += bill.refunded;
                        } else {
                            ledger.claims += bill.refunded;
                        }
                    }
                    Step::Close { .. } => {}
                    Step::Claim => {
                        balance -= ledger.claims;
                        paid_out += ledger.claims;
                        ledger.claims = 0;
                    }
                    Step::Withdraw => {
                        let deposits: u128 = open.iter().map(|(_, deposit)| deposit).sum();
                        let fees = ledger.withdrawable(balance, ledger.required(0, 0, 0) + deposits);
                        ledger.fees_withdrawn += fees;
                        balance -= fees;
                        paid_out += fees;
                    }
                }
                let deposits: u128 = open.iter().map(|(_, deposit)| deposit).sum();
                let fees_kept = ledger.fees_collected - ledger.fees_withdrawn;
                prop_assert_eq!(balance, ledger.required(0, 0, 0) + deposits + fees_kept);
                prop_assert_eq!(paid_in, balance + paid_out);
            }
        }
    }

    #[test]
    fn fees_that_back_storage_stay() {
        let ledger = Ledger { fees_collected: 100, fees_withdrawn: 30, ..Default::default() };
        assert_eq!(ledger.withdrawable(1_000, 0), 70);
        assert_eq!(ledger.withdrawable(1_000, 980), 20);
        assert_eq!(ledger.withdrawable(1_000, 2_000), 0);
    }

    #[test]
    fn each_pending_request_keeps_room_for_its_outcome() {
        assert_eq!(Ledger::default().required(10, 2, 3), (10 + 2 * u128::from(HEADROOM_BYTES)) * 3);
    }
}
