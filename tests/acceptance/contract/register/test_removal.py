"""Workers go: revoked for ever, or expired and swept; what was paid for them goes back."""

import pytest

from localnet import NEAR, TGAS, KeyPair
from localnet.account import encode_args
from localnet.values.actions import FunctionCall
from tests.acceptance.contract.register.register_stage import DAY_S, MINUTE_S, WORKER

KEYS = [KeyPair.from_seed(f"worker {n}") for n in range(8)]


@pytest.mark.exercises("revoke_worker", "is_worker_revoked")
def test_a_revoked_key_leaves_the_account_and_never_comes_back(register):
    register.register()
    register.call("owner", "revoke_worker", {"public_key": str(WORKER.public_key)})
    assert register.key_on_account() is None
    assert not register.is_registered()
    assert register.worker() is None
    assert register.view("is_worker_revoked", public_key=str(WORKER.public_key)) is True
    assert [gone["public_key"] for gone in register.events["worker_revoked"]] == [str(WORKER.public_key)]
    for _ in range(2):
        register.later(5 * MINUTE_S)
        assert "was revoked at" in register.refusal()
    assert "was revoked already" in register.refused("owner", "revoke_worker", {"public_key": str(WORKER.public_key)}, deposit=NEAR)


def test_a_revoked_registration_cannot_be_replayed(register):
    seen_ns = register.now_ns
    quote = register.quote(seen_ns=seen_ns)
    register.register(quote=quote, seen_ns=seen_ns)
    register.call("owner", "revoke_worker", {"public_key": str(WORKER.public_key)})
    assert "was revoked at" in register.refusal(quote=quote, seen_ns=seen_ns)


def test_a_workers_deposit_pays_for_its_tombstone_and_the_rest_goes_back(register):
    before, held = register.storage_yocto(), register.balance("init")
    register.register()
    paid = held - register.balance("init")
    register.call("owner", "revoke_worker", {"public_key": str(WORKER.public_key)})
    tombstone = register.storage_yocto() - before
    assert 0 < tombstone < NEAR // 500
    assert held - register.balance("init") < paid


def test_a_key_that_never_registered_is_barred_at_the_owners_cost(register):
    args = {"public_key": str(WORKER.public_key)}
    assert "is needed as the deposit" in register.refused("owner", "revoke_worker", args)
    before = register.storage_yocto()
    register.call("owner", "revoke_worker", args, deposit=NEAR)
    assert register.storage_yocto() > before
    assert "was revoked at" in register.refusal()


def test_revoking_as_the_registration_is_under_way_ends_without_the_key(register):
    init, owner = register.account("init"), register.account("owner")

    registration = FunctionCall("register_worker_key", encode_args(register.registration()), 250 * TGAS, NEAR)
    init.submit("worker.test.near", [registration])
    register.chain.produce_block()
    revocation = FunctionCall("revoke_worker", encode_args({"public_key": str(WORKER.public_key)}), 50 * TGAS, NEAR)
    owner.submit("worker.test.near", [revocation])
    register.chain.run_until_idle()
    assert register.key_on_account() is None
    assert not register.is_registered()


@pytest.mark.exercises("remove_expired")
def test_anybody_removes_the_expired_and_their_deposits_go_back(register):
    before = register.storage_yocto()
    for key in KEYS[:3]:
        register.register(key)
    register.later(15 * DAY_S)
    register.register(KEYS[3])
    register.later(15 * DAY_S + 60)
    held = register.balance("init")
    assert register.call("alice", "remove_expired", {"limit": 10}).json() == 3
    assert register.balance("init") > held
    assert [register.key_on_account(key) is not None for key in KEYS[:4]] == [False, False, False, True]
    assert {gone["public_key"] for gone in register.events["worker_expired"]} == {str(key.public_key) for key in KEYS[:3]}
    assert len(register.view("list_workers")) == 1
    register.call("owner", "revoke_worker", {"public_key": str(KEYS[3].public_key)})
    register.later(1)
    assert register.storage_yocto() - before < NEAR // 500, "only the tombstone is left"


def test_a_search_goes_on_where_the_last_one_ended(register):
    for key in KEYS:
        register.register(key)
    assert register.call("alice", "remove_expired", {"limit": 3}).json() == 0
    register.later(31 * DAY_S)
    removed = [register.call("alice", "remove_expired", {"limit": 3}).json() for _ in range(3)]
    assert sum(removed) == len(KEYS)
    assert register.call("alice", "remove_expired").json() == 0


def test_every_registration_sweeps_some_of_the_expired(register):
    for key in KEYS:
        register.register(key)
    register.later(31 * DAY_S)
    register.call("owner", "update_collateral", {"collateral": register.collateral()}, deposit=NEAR)
    register.register()
    assert len(register.events["worker_expired"]) == 5
    register.later(1)
    register.register()
    assert [worker["public_key"] for worker in register.view("list_workers")] == [str(WORKER.public_key)]


def test_an_expired_worker_that_was_not_yet_swept_renews(register):
    register.register()
    register.later(31 * DAY_S)
    register.call("owner", "update_collateral", {"collateral": register.collateral()}, deposit=NEAR)
    assert register.register()
    assert register.is_registered()
    assert register.worker()["renewals"] == 1
    assert register.events["worker_expired"] == []


def test_an_old_quote_does_not_come_back_after_its_worker_was_swept(register):
    seen_ns = register.now_ns
    quote = register.quote(seen_ns=seen_ns)
    register.register(quote=quote, seen_ns=seen_ns)
    register.later(31 * DAY_S)
    register.call("alice", "remove_expired")
    register.call("owner", "update_collateral", {"collateral": register.collateral()}, deposit=NEAR)
    assert "make a fresh quote" in register.refusal(quote=quote, seen_ns=seen_ns)


def test_the_longest_search_fits_a_call_however_much_is_asked_for(register):
    for n in range(61):
        register.register(KeyPair.from_seed(f"one of many {n}"))
    register.later(31 * DAY_S)
    assert register.call("alice", "remove_expired", {"limit": 4_000_000_000}).json() == 60
    assert register.contract_gas["remove_expired"] < 100 * TGAS
    assert len(register.view("list_workers")) == 1
