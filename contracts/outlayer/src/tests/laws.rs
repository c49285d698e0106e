//! What holds whatever happens in whatever order.

use near_sdk::env;
use proptest::prelude::*;

use crate::output::ExecutionOutput;
use crate::request::DEADLINE_NS;
use crate::storage::{id_key, OUTCOMES, REQUESTS};
use crate::world::*;

#[derive(Clone, Debug)]
enum Step {
    Request { input_bytes: usize, extra: u64 },
    Answer { nth: usize, instructions: u64, time_ms: u64, success: bool },
    Output { nth: usize },
    Extend { nth: usize },
    TimeOut { nth: usize },
    Cancel { nth: usize },
    CancelByOwner { nth: usize },
    Land { delivered: bool },
    Claim,
    Withdraw,
    Wait { blocks: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let nth = || 0usize..8;
    prop_oneof![
        4 => (prop_oneof![0usize..300, 9_990usize..10_020], any::<u64>())
            .prop_map(|(input_bytes, extra)| Step::Request { input_bytes, extra }),
        4 => (nth(), any::<u64>(), any::<u64>(), any::<bool>())
            .prop_map(|(nth, instructions, time_ms, success)| Step::Answer { nth, instructions, time_ms, success }),
        1 => nth().prop_map(|nth| Step::Output { nth }),
        1 => nth().prop_map(|nth| Step::Extend { nth }),
        2 => nth().prop_map(|nth| Step::TimeOut { nth }),
        1 => nth().prop_map(|nth| Step::Cancel { nth }),
        1 => nth().prop_map(|nth| Step::CancelByOwner { nth }),
        3 => any::<bool>().prop_map(|delivered| Step::Land { delivered }),
        1 => Just(Step::Claim),
        1 => Just(Step::Withdraw),
        1 => (1u64..12_000).prop_map(|blocks| Step::Wait { blocks }),
    ]
}

fn pending(world: &World, nth: usize) -> Option<u64> {
    let ids = world.contract.get_pending_request_ids(None, None);
    (!ids.is_empty()).then(|| ids[nth % ids.len()])
}

fn perform(world: &mut World, step: Step) {
    match step {
        Step::Request { input_bytes, extra } => {
            let storage = if input_bytes >= 10_000 { 2 * 10u128.pow(23) } else { 0 };
            world.request(&"x".repeat(input_bytes), DEPOSIT + storage + u128::from(extra));
        }
        Step::Answer { nth, instructions, time_ms, success: good } => {
            let Some(id) = pending(world, nth) else { return };
            world.answer(id, &if good { success(instructions, time_ms, "out") } else { failure("trapped") });
        }
        Step::Output { nth } => {
            let Some(id) = pending(world, nth) else { return };
            let output = ExecutionOutput::Text("y".repeat(2_000));
            world.call(OPERATOR, 0, None, |contract| contract.submit_execution_output(id, output)).unwrap();
        }
        Step::Extend { nth } => {
            let Some(id) = pending(world, nth) else { return };
            // Past its deadline a request cannot be extended: nothing changes then.
            let _ = world.call(OPERATOR, 0, None, |contract| contract.extend_execution(id));
        }
        Step::TimeOut { nth } => {
            let Some(id) = pending(world, nth) else { return };
            world.time_out(id);
        }
        Step::Cancel { nth } => {
            let Some(id) = pending(world, nth) else { return };
            world.now_ns += DEADLINE_NS;
            world.call(CLIENT, 0, None, |contract| contract.cancel_stale_execution(id)).unwrap();
        }
        Step::CancelByOwner { nth } => {
            let Some(id) = pending(world, nth) else { return };
            world.call(OWNER, 0, None, |contract| contract.emergency_cancel_execution(id)).unwrap();
        }
        Step::Land { delivered } => world.land(delivered),
        Step::Claim if world.contract.get_claim(id(CLIENT)).0 > 0 => {
            world.call(CLIENT, 0, None, |contract| contract.claim_refund()).unwrap();
        }
        Step::Claim => {}
        Step::Withdraw => {
            world.call(OWNER, 0, None, |contract| contract.withdraw_fees(None)).unwrap();
        }
        Step::Wait { blocks } => world.height += blocks,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_balance_covers_what_is_owed_and_each_request_is_settled_once(steps in proptest::collection::vec(step(), 1..50)) {
        let mut world = World::new();
        for step in steps {
            perform(&mut world, step);
            let on_the_way: u128 = world.in_flight.iter().map(|(_, amount)| amount).sum();
            prop_assert_eq!(world.balance + on_the_way + world.paid_out, RESERVE + world.paid_in);
            let required = world.required();
            prop_assert!(world.balance >= required, "{} < {}", world.balance, required);

            let mut pending_payments = 0;
            for request_id in 0..world.contract.next_request_id {
                let request = REQUESTS.get(&id_key(request_id));
                pending_payments += request.as_ref().map_or(0, |request| request.payment - request.storage_deposit);
                let settled = OUTCOMES.has(&id_key(request_id)) || request_id < world.contract.oldest_outcome_id;
                prop_assert!(request.is_some() != settled, "request {} is both or neither", request_id);
            }
            prop_assert_eq!(world.contract.ledger.pending_payments, pending_payments);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_a_request_brings_is_charged_or_goes_back(instructions: u64, time_ms: u64, extra: u64, good: bool) {
        let mut world = World::new();
        let payment = DEPOSIT + u128::from(extra);
        let id = world.request("in", payment);
        world.answer(id, &if good { success(instructions, time_ms, "out") } else { failure("trapped") });
        let outcome = world.contract.get_outcome(id).unwrap();
        prop_assert_eq!(outcome.payment_charged.0 + outcome.payment_refunded.0, payment);
        prop_assert_eq!(outcome.payment_refunded.0, world.owed_to(CLIENT));
        prop_assert_eq!(world.contract.get_stats().1, outcome.payment_charged);
    }
}

#[test]
fn storage_does_not_grow_with_past_requests() {
    let mut world = World::new();
    let run = |world: &mut World| {
        for _ in 0..250 {
            let id = world.request("in", DEPOSIT);
            world.answer(id, &success(1_000_000, 1, "out"));
            world.land(true);
            world.height += 50;
        }
        world.call(OWNER, 0, None, |_| env::storage_usage())
    };
    // 50 blocks a request: about 200 outcomes are kept, as many after 500 requests as after 250.
    assert_eq!(run(&mut world), run(&mut world));
    assert_eq!(world.contract.next_request_id - world.contract.oldest_outcome_id, 201);
}

#[test]
fn a_burst_of_outcomes_is_worked_off_two_at_a_time() {
    let mut world = World::new();
    for _ in 0..6 {
        let id = world.request("in", DEPOSIT);
        world.answer(id, &failure("x"));
    }
    world.height += 10_001;
    let mut settle = || {
        let id = world.request("in", DEPOSIT);
        world.answer(id, &failure("x"));
        world.contract.oldest_outcome_id
    };
    assert_eq!([settle(), settle(), settle(), settle()], [2, 4, 6, 6]);
}
