import asyncio
from dataclasses import replace

import pytest

from localnet import NEAR
from oracle.errors import RpcUnavailable, TeeUnavailable, TransactionRefused
from oracle.model import Answer, Metrics, OutputFormat
from oracle.near import ChainSender
from oracle.near.send import Addressee
from oracle.ports import SystemClock
from oracle.testing.clock import ManualClock
from oracle.testing.jobs import MemoryJobs
from register.access import find_access_key
from register.keeper import LOOK_EVERY_S, Keeper
from register.sender import AnswersWhileRegistered, NotRegistered
from tests.integration.register.conftest import MAIN, REGISTER

HOUR_S = 3_600


@pytest.fixture
async def kept(stage):
    """A key registered for an hour, and its keeper; `renewals` counts what the keeper told."""
    stage.approve()
    stage.own("set_policy", registration_lifetime_seconds=str(HOUR_S))
    key = stage.key()
    async with stage.registrar() as registrar:
        registration = await registrar.register(key)
        renewals = []
        keeper = Keeper(registrar, key, registration, lambda: renewals.append(key.public_key))
        yield keeper, key, renewals


async def test_a_young_registration_is_left_alone(stage, kept):
    keeper, _, renewals = kept
    stage.chain.advance_time(HOUR_S * 0.6)
    await keeper.look()
    assert (keeper.lost, keeper.trouble, renewals) == (None, None, [])


async def test_a_registration_is_renewed_when_a_third_of_its_time_is_left(stage, kept):
    keeper, key, renewals = kept
    ends_ns = keeper.registration.expires_at_ns
    stage.chain.advance_time(HOUR_S * 0.7)
    await keeper.look()
    assert renewals == [key.public_key]
    assert keeper.registration.expires_at_ns >= ends_ns + HOUR_S * 0.7 * 10**9
    assert stage.view("get_worker", public_key=key.public_key)["renewals"] == 1


async def test_a_registration_whose_allowance_runs_out_is_renewed(stage, kept):
    keeper, key, renewals = kept
    keeper._registration = replace(keeper.registration, allowance_yocto=30 * NEAR)
    stage.own("set_key_allowance", allowance=str(NEAR // 2))
    await stage_renewal(keeper)  # with half a NEAR, of which a fifth is low
    assert (await find_access_key(stage.rpc, REGISTER, key.public_key)).allowance_yocto == NEAR // 2
    await keeper.look()
    assert renewals == [key.public_key]
    keeper._registration = replace(keeper.registration, allowance_yocto=4 * NEAR)
    await keeper.look()
    assert renewals == [key.public_key] * 2


async def stage_renewal(keeper):
    await keeper._renew("the test wants it")


async def test_a_revoked_key_is_lost_and_not_renewed(stage, kept):
    keeper, key, renewals = kept
    stage.own("revoke_worker", public_key=key.public_key)
    for _ in range(3):
        await keeper.look()
    assert keeper.lost.startswith(f"the owner of {REGISTER} has revoked this worker's key {key.public_key}")
    assert renewals == []


async def test_a_node_that_lies_about_a_key_stops_the_worker_only_while_it_lies(kept):
    keeper, _, renewals = kept
    honest = keeper._registrar.contract.is_revoked
    keeper._registrar.contract.is_revoked = says(True)
    await keeper.look()
    assert keeper.lost is not None
    keeper._registrar.contract.is_revoked = honest
    await keeper.look()
    assert (keeper.lost, renewals) == (None, [])


async def test_a_node_that_is_behind_costs_no_renewal(kept):
    keeper, _, renewals = kept
    honest = keeper._registrar.contract.worker
    keeper._registrar.contract.worker = says(None)
    await keeper.look()
    assert (keeper.lost, "it may be behind" in keeper.trouble) == (None, True)
    keeper._registrar.contract.worker = honest
    await keeper.look()
    assert (keeper.lost, keeper.trouble, renewals) == (None, None, [])


def says(answer):
    async def view(*args, **kwargs):
        return answer

    return view


async def test_an_expired_key_answers_again_once_it_is_renewed(stage, kept):
    keeper, key, renewals = kept
    stage.chain.advance_time(HOUR_S + 1)
    stage.own("remove_expired")
    pccs_is_back, source = keeper._registrar._witness, Down()
    keeper._registrar._witness = replace(pccs_is_back, source=source)
    await keeper.look()
    await keeper.look()
    assert f"the registration of this worker's key {key.public_key} on {REGISTER} has ended" in keeper.lost
    keeper._registrar._witness = pccs_is_back
    await keeper.look()
    assert (keeper.lost, renewals) == (None, [key.public_key])


async def test_trouble_does_not_stop_a_worker_whose_registration_is_valid(stage, kept):
    keeper, _, _ = kept
    stage.chain.advance_time(HOUR_S * 0.7)
    keeper._registrar._witness = replace(keeper._registrar._witness, source=Down())
    await keeper.look()
    assert keeper.lost is None
    assert keeper.trouble == "the registration could not be looked after: down"
    keeper._registrar.contract._contract = Down()
    await keeper.look()
    assert keeper.lost is None


class Down:
    """Nothing of it answers."""

    async def for_quote(self, raw):
        raise TeeUnavailable("down")

    async def view(self, method, args):
        raise RpcUnavailable("down")


ANSWER = Answer(1, success=True, output=b"", output_format=OutputFormat.TEXT, error=None, metrics=Metrics())


class Sender:
    """Sends until told why not."""

    refusal = None

    async def submit(self, answer, vouch, *, first=False):
        if self.refusal is not None:
            raise self.refusal
        return "hash"

    async def extend(self, request_id):
        return await self.submit(None, None)


async def test_answers_leave_only_while_the_key_is_registered(stage, kept):
    keeper, key, _ = kept
    sender = AnswersWhileRegistered(Sender(), keeper)
    assert await sender.submit(ANSWER, None) == await sender.extend(1) == "hash"
    stage.own("revoke_worker", public_key=key.public_key)
    await keeper.look()
    for sending in (sender.submit(ANSWER, None), sender.extend(1)):
        with pytest.raises(NotRegistered, match="has revoked this worker's key"):
            await sending


async def test_a_chain_that_does_not_know_the_key_makes_the_keeper_look_at_once(stage, kept):
    keeper, key, _ = kept
    keeper._clock = ManualClock()
    stage.own("revoke_worker", public_key=key.public_key)
    inner = Sender()
    inner.refusal = TransactionRefused("AccessKeyNotFound", "no such key")
    running = asyncio.create_task(keeper.run())
    with pytest.raises(TransactionRefused):
        await AnswersWhileRegistered(inner, keeper).submit(ANSWER, None)
    async with asyncio.timeout(10):  # the clock stands still: no turn of its own would come
        while keeper.lost is None:
            await asyncio.sleep(0.01)
    assert keeper._clock.monotonic_s() < LOOK_EVERY_S
    running.cancel()


async def test_the_first_transaction_after_a_renewal_counts_with_the_new_nonce(stage, kept):
    _, key, _ = kept
    sender = ChainSender(stage.rpc, MemoryJobs(), Addressee(MAIN, keeps_receipts=False), [key], SystemClock())
    await sender.extend(1)
    await until_nonce_passes(stage, key, 0)
    async with stage.registrar() as registrar:
        await Keeper(registrar, key, await registrar.register(key), sender.forget_nonces)._renew("the test wants it")
    begun = await nonce_of(stage, key)
    await sender.extend(2)
    await until_nonce_passes(stage, key, begun)


async def nonce_of(stage, key):
    params = {"request_type": "view_access_key", "finality": "final", "account_id": REGISTER, "public_key": key.public_key}
    return (await stage.rpc.call("query", params))["nonce"]


async def until_nonce_passes(stage, key, nonce):
    async with asyncio.timeout(5):
        while await nonce_of(stage, key) <= nonce:
            await asyncio.sleep(0.05)
