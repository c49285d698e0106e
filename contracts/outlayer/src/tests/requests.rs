//! The way of a request, and who may do what.

use std::panic::{catch_unwind, AssertUnwindSafe};

use near_sdk::json_types::U128;
use near_sdk::{AccountId, Gas};
use serde_json::Value;

use crate::error::{AnswerError, OwnerError};
use crate::limits::ResourceLimits;
use crate::outcome::Status;
use crate::output::{ExecutionOutput, Resumed};
use crate::request::{RequestParams, SecretsRef, DEADLINE_NS};
use crate::world::*;

/// The one event of a kind that was logged last: its `data` entry.
fn last_event(world: &World, name: &str) -> Value {
    let lines = world.logs.iter().filter_map(|line| line.strip_prefix("EVENT_JSON:"));
    let events = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let event = events.filter(|event| event["event"] == name).last().expect(name);
    assert_eq!((&event["standard"], &event["version"]), (&"near-outlayer".into(), &"1.0.0".into()));
    event["data"][0].clone()
}

fn refusal(world: &mut World, deposit: u128, input: &str, params: RequestParams, payer: Option<AccountId>) -> String {
    let input = Some(input.to_string());
    let limits = Some(ResourceLimits::default());
    let call = || {
        world.call(CLIENT, deposit, None, |contract| {
            contract.request_execution(Some(source()), None, limits, input, None, None, payer, Some(params));
        });
    };
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without a text".to_string())
}

#[test]
fn the_event_tells_a_worker_all_it_needs() {
    let mut world = World::new();
    let secrets = SecretsRef { profile: "default".into(), account_id: id("alice.near") };
    world.call(CLIENT, DEPOSIT, None, |contract| {
        let limits = Some(ResourceLimits { max_memory_mb: Some(64), ..Default::default() });
        contract.request_execution(Some(source()), None, limits, Some("in".into()), Some(secrets), None, None, None);
    });
    let event = last_event(&world, "execution_requested");
    assert_eq!(event["data_id"].as_array().unwrap().len(), 32);
    assert_eq!(event["timestamp"], world.now_ns);
    let data: Value = serde_json::from_str(event["request_data"].as_str().unwrap()).unwrap();
    let told = serde_json::json!({
        "request_id": 0, "sender_id": "signer.near", "predecessor_id": CLIENT,
        "code_source": {"WasmUrl": {"url": "https://example.org/guest.wasm", "hash": "ab".repeat(32), "build_target": null}},
        "resource_limits": {"max_instructions": 1_000_000_000u64, "max_memory_mb": 64, "max_execution_seconds": 60},
        "input_data": "in", "input_data_in_state": false,
        "secrets_ref": {"profile": "default", "account_id": "alice.near"}, "response_format": "Text",
        "payment": DEPOSIT.to_string(), "attached_usd": "0", "timestamp": world.now_ns, "compile_only": false,
        "force_rebuild": false, "store_on_fastfs": false, "use_bound_identity": false, "project_uuid": null, "project_id": null,
    });
    assert_eq!(data, told);
}

#[test]
fn an_input_that_swells_when_it_is_quoted_stays_in_state() {
    for (input, in_state) in [("x".repeat(9_999), false), ("x".repeat(10_000), true), ("\"".repeat(9_999), true)] {
        let mut world = World::new();
        let request_id = world.request(&input, 2 * 10u128.pow(23));
        let event = last_event(&world, "execution_requested");
        let data: Value = serde_json::from_str(event["request_data"].as_str().unwrap()).unwrap();
        assert_eq!(data["input_data_in_state"], in_state);
        assert_eq!(data["input_data"].as_str().unwrap().is_empty(), in_state);
        assert!(world.logs.iter().map(String::len).sum::<usize>() <= 16_384);
        let view = serde_json::to_value(world.contract.get_request(request_id)).unwrap();
        assert_eq!(view["input_data"], input);
    }
}

#[test]
fn an_answer_is_charged_told_and_the_rest_goes_back() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.answer(request_id, &success(3_000_000, 20, "out"));
    let charged = 10u128.pow(21) + 3 * 10u128.pow(14) + 20 * 10u128.pow(17);
    assert_eq!(world.owed_to(CLIENT), DEPOSIT - charged);
    let event = last_event(&world, "execution_completed");
    assert_eq!(event["payment_charged"], charged.to_string());
    assert_eq!(event["payment_refunded"], (DEPOSIT - charged).to_string());
    assert_eq!((&event["request_id"], &event["success"], &event["error_message"]), (&0.into(), &true.into(), &Value::Null));
    let outcome = world.contract.get_outcome(request_id).unwrap();
    assert_eq!((outcome.status, outcome.receipt_sha256.unwrap()), (Status::Succeeded, "09".repeat(32)));
    assert!(world.contract.get_request(request_id).is_none());
}

#[test]
fn a_failure_and_a_time_out_cost_the_base_fee() {
    let mut world = World::new();
    for status in [Status::Failed, Status::TimedOut] {
        let request_id = world.request("in", DEPOSIT);
        if status == Status::Failed {
            world.answer(request_id, &failure("trapped"))
        } else {
            world.time_out(request_id)
        }
        let outcome = world.contract.get_outcome(request_id).unwrap();
        assert_eq!((outcome.status, outcome.payment_charged), (status, U128(10u128.pow(21))));
        assert!(outcome.error.is_some());
    }
}

#[test]
fn a_second_answer_changes_nothing() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.answer(request_id, &success(1, 1, "out"));
    let before = (world.balance, world.in_flight.len(), world.contract.get_stats());
    world.answer(request_id, &success(1, 1, "again"));
    world.time_out(request_id);
    assert_eq!((world.balance, world.in_flight.len(), world.contract.get_stats()), before);
}

#[test]
fn an_answer_to_what_is_not_pending_is_refused_and_says_so() {
    let mut world = World::new();
    let refused = world.call(OPERATOR, 0, None, |contract| contract.extend_execution(7)).unwrap_err();
    assert_eq!(refused, AnswerError::NotPending(7));
    assert!(refused.to_string().contains("already resolved or cancelled"));
    let request_id = world.request("in", DEPOSIT);
    let refused = world.call(OWNER, 0, None, |contract| contract.extend_execution(request_id)).unwrap_err();
    assert!(matches!(refused, AnswerError::NotOperator { .. }));
}

#[test]
fn a_yield_is_renewed_once_for_each_announcement_until_the_deadline() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    let extend = |world: &mut World| world.call(OPERATOR, 0, None, |contract| contract.extend_execution(request_id));
    extend(&mut world).unwrap();
    world.time_out(request_id);
    let event = last_event(&world, "execution_extended");
    let view = serde_json::to_value(world.contract.get_request(request_id)).unwrap();
    assert_eq!((&event["request_id"], &event["data_id"]), (&request_id.into(), &view["data_id"]));
    assert_eq!(view["progress_announced"], false);

    extend(&mut world).unwrap();
    world.now_ns += DEADLINE_NS;
    assert!(matches!(extend(&mut world), Err(AnswerError::PastDeadline { .. })));
    world.time_out(request_id);
    assert_eq!(world.contract.get_outcome(request_id).unwrap().status, Status::TimedOut);
}

#[test]
fn a_callback_with_too_little_gas_for_another_settles() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.call(OPERATOR, 0, None, |contract| contract.extend_execution(request_id)).unwrap();
    world.gas = Gas::from_tgas(27);
    world.time_out(request_id);
    assert_eq!(world.contract.get_outcome(request_id).unwrap().status, Status::TimedOut);
}

#[test]
fn who_made_a_request_may_cancel_it_after_the_deadline_and_gets_all_back() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    let cancel = |world: &mut World, who: &str| world.call(who, 0, None, |contract| contract.cancel_stale_execution(request_id));
    assert!(matches!(cancel(&mut world, CLIENT), Err(AnswerError::NotStale { .. })));
    world.now_ns += DEADLINE_NS;
    assert!(matches!(cancel(&mut world, "mallory.near"), Err(AnswerError::NotRequester { .. })));
    assert_eq!(cancel(&mut world, CLIENT), Ok(()));
    assert_eq!(world.owed_to(CLIENT), DEPOSIT);
    assert_eq!(last_event(&world, "execution_completed")["success"], false);
    assert_eq!(cancel(&mut world, CLIENT), Err(AnswerError::NotPending(request_id)));
}

#[test]
fn the_owner_cancels_several_at_once_and_passes_over_what_is_gone() {
    let mut world = World::new();
    let (first, second) = (world.request("", DEPOSIT), world.request("", DEPOSIT));
    let cancel = |world: &mut World, ids: Vec<u64>| world.call(OWNER, 0, None, |contract| contract.cancel_pending_requests(ids));
    assert_eq!(cancel(&mut world, vec![first, 99, second, first]), Ok(2));
    assert_eq!(world.owed_to(CLIENT), 2 * DEPOSIT);
    assert!(matches!(cancel(&mut world, (0..21).collect()), Err(OwnerError::TooManyToCancel { count: 21, max: 20 })));
}

#[test]
fn a_refund_that_comes_back_is_kept_and_can_be_claimed() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.answer(request_id, &failure("x"));
    let refund = world.owed_to(CLIENT);
    world.land(false);
    assert_eq!(world.contract.get_claim(id(CLIENT)), U128(refund));
    assert_eq!(world.call(CLIENT, 0, None, |contract| contract.claim_refund()), Ok(U128(refund)));
    assert_eq!((world.owed_to(CLIENT), world.contract.get_claim(id(CLIENT))), (refund, U128(0)));
    assert!(matches!(world.call(CLIENT, 0, None, |contract| contract.claim_refund()), Err(AnswerError::NothingToClaim(_))));
}

#[test]
fn an_output_in_state_is_handed_on_and_removed() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    let output = ExecutionOutput::Text("long".repeat(1_000));
    world.call(OPERATOR, 0, None, |contract| contract.submit_execution_output(request_id, output)).unwrap();
    assert!(world.contract.has_pending_output(request_id));
    world.answer(request_id, &Resumed { output_json: None, ..success(1, 1, "") });
    assert!(!world.contract.has_pending_output(request_id));
}

#[test]
fn refusals_name_the_figures() {
    let mut world = World::new();
    let estimate = world.contract.estimate_execution_cost(None).0;
    let refused = refusal(&mut world, estimate - 1, "in", RequestParams::default(), None);
    assert!(refused.contains(&estimate.to_string()) && refused.contains(&(estimate - 1).to_string()), "{refused}");
    let refused = refusal(&mut World::new(), estimate, &"x".repeat(10_000), RequestParams::default(), None);
    assert!(refused.contains("as a deposit for 10000 bytes of input"), "{refused}");
    let refused = refusal(&mut World::new(), DEPOSIT, "in", RequestParams::default(), Some(id(CONTRACT)));
    assert!(refused.contains("payer_account_id"), "{refused}");

    let mut poor = World::new();
    poor.gas = Gas::from_tgas(54);
    let refused = refusal(&mut poor, DEPOSIT, "", RequestParams::default(), None);
    assert!(refused.contains("54000000000000") && refused.contains("55000000000000"), "{refused}");
}

#[test]
fn a_request_that_the_reserve_cannot_store_is_refused_with_what_is_missing() {
    let mut world = World::new();
    world.balance = world.required();
    let refused = refusal(&mut world, DEPOSIT, "in", RequestParams::default(), None);
    assert!(refused.contains("yoctoNEAR short"), "{refused}");
}

#[test]
fn a_paused_contract_takes_nothing_in_and_still_answers() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.call(OWNER, 0, None, |contract| contract.set_paused(true)).unwrap();
    assert!(refusal(&mut world, DEPOSIT, "in", RequestParams::default(), None).contains("paused"));
    world.answer(request_id, &success(1, 1, "out"));
    assert!(world.contract.get_outcome(request_id).unwrap().success);
}

#[test]
fn a_later_price_does_not_touch_a_pending_request() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    let dear = Some(U128(10u128.pow(22)));
    world.call(OWNER, 0, None, |contract| contract.set_pricing(dear, None, None, None)).unwrap();
    world.answer(request_id, &failure("x"));
    assert_eq!(world.contract.get_outcome(request_id).unwrap().payment_charged, U128(10u128.pow(21)));
}

#[test]
fn only_the_owner_may_set_and_withdraw() {
    let mut world = World::new();
    let mine = || id("mallory.near");
    let refusals = world.call("mallory.near", 0, None, |contract| {
        [
            contract.set_owner(mine()).is_err(),
            contract.set_operator(mine()).is_err(),
            contract.set_paused(true).is_err(),
            contract.set_pricing(Some(U128(0)), None, None, None).is_err(),
            contract.set_max_limits(Some(1), None).is_err(),
            contract.set_event_metadata(Some("x".into()), None).is_err(),
            contract.withdraw_fees(None).is_err(),
            contract.emergency_cancel_execution(0).is_err(),
            contract.cancel_pending_requests(vec![]).is_err(),
        ]
    });
    assert_eq!(refusals, [true; 9]);
}

#[test]
fn fees_go_to_the_owner_once() {
    let mut world = World::new();
    let request_id = world.request("in", DEPOSIT);
    world.answer(request_id, &failure("x"));
    let fee = 10u128.pow(21);
    let too_much = world.call(OWNER, 0, None, |contract| contract.withdraw_fees(Some(U128(fee + 1))));
    assert_eq!(too_much, Err(OwnerError::FeesNotFree { asked: fee + 1, available: fee }));
    assert_eq!(world.call(OWNER, 0, None, |contract| contract.withdraw_fees(None)), Ok(U128(fee)));
    assert_eq!(world.owed_to(OWNER), fee);
    assert_eq!(world.call(OWNER, 0, None, |contract| contract.withdraw_fees(None)), Ok(U128(0)));
}
