"""Checks 21 to 30 against the contracts that are shipped, on a chain whose nodes tell the truth, hide and invent."""

import asyncio
import dataclasses
import json

import pytest

from localnet import KeyPair
from localnet.server import ServerThread
from localnet.values.actions import FunctionCallPermission
from localnet.values.hashes import hash_to_text
from oracle.cli.verify_online import our_code
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Verdict
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.nodes import Question, ask_nodes, find_request
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.report import Overall, verdict_of
from oracle.flows.verify.terms import CLOCK_TOLERANCE_S
from oracle.ports import SystemClock
from tests.acceptance.verify.chain_stage import CALLER, MAIN, WORKER, ChainStage
from tests.unit.oracle.flows.verify.good import file_of


def question_of(bundle, receipt, **changes):
    record = bundle.chain
    plain = Question(
        contract_id=receipt.chain.contract_id,
        request_id=receipt.request.request_id,
        worker_id=receipt.worker.account_id,
        worker_key=receipt.worker.public_key,
        sender_id=receipt.request.sender_id,
        request_transaction=receipt.request.transaction_hash,
        answer_transaction=None if record is None else record.answer_transaction_hash,
    )
    return dataclasses.replace(plain, **changes)


def ask(stages, bundle, receipt, **changes):
    """What nodes over these chains say: one of the first at 127.0.0.1, one of the second at localhost."""
    servers = [ServerThread(stage.chain) for stage in stages]
    entered = [server.__enter__() for server in servers]
    try:
        urls = [server.rpc_url.replace("127.0.0.1", host) for server, host in zip(entered, ("127.0.0.1", "localhost"), strict=False)]
        return asyncio.run(ask_nodes(urls, question_of(bundle, receipt, **changes), SystemClock()))
    finally:
        for server in servers:
            server.__exit__(None, None, None)


def terms_of(stage, *, two_nodes=False):
    return stage.good.terms(policy=dataclasses.replace(stage.good.policy, two_nodes=two_nodes))


def checks_of(stage, words, bundle=None, *, two_nodes=False):
    terms = terms_of(stage, two_nodes=two_nodes)
    evidence = check_offline(file_of(bundle or stage.bundle()), terms).evidence
    return check_chain(evidence, words, terms, our_code())


def verdict_at(checks, number):
    return next(check.verdict for check in checks if check.number == number)


def against(checks):
    return [check.number for check in checks if check.verdict is Verdict.FAIL]


def open_in(checks):
    return [check.number for check in checks if check.leaves_open]


@pytest.fixture(scope="module")
def words(made):
    """What an honest node says."""
    stage, snapshot = made
    stage.chain.restore(snapshot)
    return ask([stage], stage.bundle(), stage.receipt)


def with_facts(words, **changes):
    return tuple(dataclasses.replace(word, facts=dataclasses.replace(word.facts, **changes)) for word in words)


def test_an_answered_request_is_proven_by_the_word_of_a_node_when_the_policy_takes_one(stage, words):
    checks = checks_of(stage, words)
    assert [(check.number, check.verdict) for check in checks if check.is_needed] == [(number, Verdict.PASS) for number in range(21, 31)]


def test_one_node_is_not_enough_when_the_policy_asks_for_two(stage, words):
    checks = checks_of(stage, words, two_nodes=True)
    assert (verdict_of(checks), open_in(checks)) == (Overall.UNPROVEN, [30])


@pytest.mark.parametrize("place", ["http://127.0.0.1:2", "https://127.0.0.1", "http://127.0.0.1.:1"])
def test_two_nodes_of_one_host_are_one_node(stage, words, place):
    checks = checks_of(stage, (*words, dataclasses.replace(words[0], place=place)), two_nodes=True)
    assert open_in(checks) == [30]


def test_two_nodes_of_different_hosts_that_say_the_same_are_enough(stage):
    words = ask([stage, stage], stage.bundle(), stage.receipt)
    assert verdict_of(checks_of(stage, words, two_nodes=True)) is Overall.PROVEN


def test_without_a_node_nothing_is_said_of_the_chain(stage):
    checks = checks_of(stage, ())
    assert (verdict_of(checks), against(checks)) == (Overall.UNPROVEN, [])
    assert all(check.mend for check in checks)


def test_a_node_that_is_down_is_named_and_does_not_count(stage, words):
    silent = NodeWord("http://down.example", Missing("nobody answers"))
    checks = checks_of(stage, (*words, silent), two_nodes=True)
    assert open_in(checks) == [30]
    assert "down.example" in next(check.seen for check in checks if check.number == 30)


def liar():
    """A chain of somebody's own: same genesis, same contracts, and a request that the real chain never saw."""
    return ChainStage(input_text="give me the money")


def test_an_invented_request_is_proven_by_nobody_but_the_liar_alone(stage):
    lie = liar()
    bundle = lie.bundle()
    by_liar = ask([lie], bundle, lie.receipt)
    assert verdict_of(checks_of(lie, by_liar, bundle)) is Overall.PROVEN  # which is why the policy asks for two by default
    by_both = ask([lie, stage], bundle, lie.receipt)
    checks = checks_of(lie, by_both, bundle, two_nodes=True)
    assert verdict_of(checks) is not Overall.PROVEN
    assert {22, 23} <= {*open_in(checks), *against(checks)}
    assert verdict_of(checks_of(lie, ask([stage], bundle, lie.receipt), bundle)) is not Overall.PROVEN


def test_a_hidden_request_is_not_proven(stage, words):
    hiding = with_facts(words, request=Missing("UNKNOWN_TRANSACTION"))
    both = (*words, dataclasses.replace(hiding[0], place="http://hiding.example"))
    checks = checks_of(stage, both, two_nodes=True)
    assert verdict_of(checks) is Overall.UNPROVEN
    assert 22 in open_in(checks)


@pytest.mark.parametrize("name", ["request", "answer", "end", "operator_id", "register", "operator"])
def test_whatever_a_node_does_not_tell_leaves_it_unproven(stage, words, name):
    checks = checks_of(stage, with_facts(words, **{name: Missing("the node does not keep it")}))
    assert (verdict_of(checks), against(checks)) == (Overall.UNPROVEN, [])


@pytest.mark.parametrize("name", ["request", "answer", "end"])
def test_whatever_a_node_denies_is_a_contradiction(stage, words, name):
    assert verdict_of(checks_of(stage, with_facts(words, **{name: Missing("it made none", is_denial=True)}))) is Overall.FAILED


def test_the_contracts_event_tells_the_end_when_its_record_is_gone(stage, words):
    checks = checks_of(stage, with_facts(words, end=Missing("the contract keeps no outcome", is_gone=True)))
    assert verdict_at(checks, 24) is Verdict.PASS


DOES_NOT_MATTER = {
    "facts.request.request.input_data",  # its hash is compared
    "facts.request.request.timestamp_ns",  # the block's time is compared
    "facts.request.request.secrets_ref",  # a receipt says nothing of these five
    "facts.request.request.force_rebuild",
    "facts.request.request.attached_usd",
    "facts.request.request.project_id",
    "facts.request.request.project_uuid",
    "facts.request.block.block_hash",  # height and time are compared
    "facts.request.completed.success",  # the record says more, and is there
    "facts.request.completed.error",
    "facts.request.completed.used.peak_memory_bytes",  # the contract is not told
    "facts.answer.transaction_hash",  # names what was asked for
    "facts.answer.block.height",  # its hash is compared
    "facts.answer.block.timestamp_ns",  # a nanosecond more or less
    "facts.end.status",  # success is compared
    "facts.end.metrics.peak_memory_bytes",  # the contract is not told
    "facts.register.registration.registered_ns",  # what the bundle recorded may be older
}


def leaves(value, name):
    """Every leaf of a tree of dataclasses and tuples, and the tree with another value there."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            for where, changed in leaves(getattr(value, field.name), f"{name}.{field.name}"):
                yield where, dataclasses.replace(value, **{field.name: changed})
    elif isinstance(value, tuple) and value:
        for index, inner in enumerate(value):
            for where, changed in leaves(inner, f"{name}[{index}]"):
                yield where, (*value[:index], changed, *value[index + 1 :])
    else:
        yield name, other_than(value)


def other_than(value):
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("1" if value[-1:] != "1" else "2")
        case bytes():
            return value.replace(b"H", b"J")
        case None:
            return "something"
        case ():
            return ("something",)
    raise AssertionError(f"no other value for {value!r}")


def test_every_fact_that_a_node_changes_keeps_it_from_proven(stage, words):
    proven = []
    for where, changed in leaves(words[0].facts, "facts"):
        checks = checks_of(stage, (dataclasses.replace(words[0], facts=changed),))
        if verdict_of(checks) is Overall.PROVEN:
            proven.append(where)
    assert set(proven) == DOES_NOT_MATTER


def test_everything_that_the_bundle_recorded_of_the_chain_is_compared(stage, words):
    good = json.loads(stage.bundle().to_json())
    changes = {
        "answer_transaction_hash": None,
        "answer_signer_id": "mallory.test.near",
        "answer_block_hash": "1" * 32,
        "outcome": good["chain"]["outcome"] | {"success": False},
        "registration": good["chain"]["registration"] | {"settings_sha256": "00" * 32},
    }
    for name, value in changes.items():
        spoilt = json.dumps(good | {"chain": good["chain"] | {name: value}}).encode()
        terms = terms_of(stage)
        evidence = check_offline(spoilt, terms).evidence
        told = words if value is not None else ask([stage], evidence.bundle, stage.receipt)
        assert verdict_of(check_chain(evidence, told, terms, our_code())) is not Overall.PROVEN, name


def test_a_bundle_that_recorded_nothing_of_the_chain_is_proven_when_the_answer_is_named(stage):
    bundle = dataclasses.replace(stage.bundle(), chain=None)
    words = ask([stage], bundle, stage.receipt, answer_transaction=hash_to_text(stage.answered.hash))
    assert verdict_of(checks_of(stage, words, bundle)) is Overall.PROVEN
    assert open_in(checks_of(stage, ask([stage], bundle, stage.receipt), bundle)) == [23, 25]


def test_a_revoked_key_is_refused(stage):
    stage.call("owner.test.near", WORKER, "revoke_worker", {"public_key": stage.good.public_key}, deposit=10**24)
    assert against(checks_of(stage, ask([stage], stage.bundle(), stage.receipt))) == [26]


def test_a_receipt_from_after_the_registration_ended_is_refused(stage, words):
    entry = words[0].facts.register.registration
    ended = dataclasses.replace(entry, expires_ns=stage.receipt.made_at_ns)
    register = dataclasses.replace(words[0].facts.register, registration=ended)
    assert against(checks_of(stage, with_facts(words, register=register))) == [26]


def test_a_receipt_from_before_the_registration_began_is_refused_unless_it_was_renewed(stage, words):
    late_ns = stage.receipt.made_at_ns + CLOCK_TOLERANCE_S * 10**9 + 1
    entry = dataclasses.replace(words[0].facts.register.registration, registered_ns=late_ns)
    register = dataclasses.replace(words[0].facts.register, registration=entry)
    assert against(checks_of(stage, with_facts(words, register=register))) == [26]
    renewed = dataclasses.replace(register, registration=dataclasses.replace(entry, renewals=1))
    assert against(checks_of(stage, with_facts(words, register=renewed))) == []


def test_a_key_that_is_no_longer_listed_is_unproven(stage, words):
    register = dataclasses.replace(words[0].facts.register, registration=None)
    assert open_in(checks_of(stage, with_facts(words, register=register))) == [26]


def dated(seen, timestamp_ns):
    return dataclasses.replace(seen, block=dataclasses.replace(seen.block, timestamp_ns=timestamp_ns))


def test_a_receipt_that_is_dated_before_the_request_or_after_the_answer_is_refused(stage, words):
    facts, made_ns, slack_ns, second = words[0].facts, stage.receipt.made_at_ns, CLOCK_TOLERANCE_S * 10**9, 10**9
    assert against(checks_of(stage, with_facts(words, answer=dated(facts.answer, made_ns - slack_ns)))) == []
    assert against(checks_of(stage, with_facts(words, answer=dated(facts.answer, made_ns - slack_ns - second)))) == [25]
    assert against(checks_of(stage, with_facts(words, request=dated(facts.request, made_ns + slack_ns)))) == [22]
    assert against(checks_of(stage, with_facts(words, request=dated(facts.request, made_ns + slack_ns + second)))) == [22, 25]


def test_a_new_operator_leaves_it_unproven(stage):
    stage.call("owner.test.near", MAIN, "set_operator", {"new_operator_id": CALLER})
    assert open_in(checks_of(stage, ask([stage], stage.bundle(), stage.receipt))) == [29]


def test_a_full_access_key_on_the_operators_account_leaves_it_unproven():
    careless = ChainStage(closed=False)
    checks = checks_of(careless, ask([careless], careless.bundle(), careless.receipt))
    assert (verdict_of(checks), open_in(checks)) == (Overall.UNPROVEN, [28])


def test_other_code_on_the_operators_account_leaves_it_unproven(stage, words):
    operator = dataclasses.replace(words[0].facts.operator, code_sha256_hex=None)
    assert open_in(checks_of(stage, with_facts(words, operator=operator))) == [28]


@pytest.mark.parametrize(
    ("response_format", "output", "said"),
    [
        ("Bytes", b"\x00\xff\n", {"Bytes": [0, 255, 10]}),
        ("Json", b'{"a":[1.50,"x"]}', {"Json": {"a": [1.5, "x"]}}),
        ("Json", b' {"a":1}\n', {"Json": {"a": 1}}),
    ],
)
def test_outputs_of_every_format_are_held_against_the_receipt(response_format, output, said):
    stage = ChainStage(response_format=response_format, output=output, said=said)
    checks = checks_of(stage, ask([stage], stage.bundle(), stage.receipt))
    spelled_alike = response_format == "Bytes" or json.dumps(said["Json"], separators=(",", ":")).encode() == output.strip()
    assert verdict_at(checks, 23) is (Verdict.PASS if spelled_alike else Verdict.FAIL)


@pytest.mark.parametrize(("output", "is_told"), [(b'{"a":1}\n', True), (b' {"a":1}\n', True), (b'  {"a":1}\n', False)])
def test_json_that_lost_much_white_space_is_unproven_unless_the_output_is_carried(output, is_told):
    stage = ChainStage(response_format="Json", output=output, said={"Json": {"a": 1}})
    bundle = dataclasses.replace(stage.bundle(), output_bytes=None)
    assert open_in(checks_of(stage, ask([stage], bundle, stage.receipt), bundle)) == ([] if is_told else [23])


def test_json_of_the_same_length_with_another_value_is_refused():
    stage = ChainStage(response_format="Json", output=b'{"a":1}\n', said={"Json": {"a": 2}})
    bundle = dataclasses.replace(stage.bundle(), output_bytes=None)
    checks = checks_of(stage, ask([stage], bundle, stage.receipt), bundle)
    assert verdict_of(checks) is not Overall.PROVEN
    assert verdict_at(checks, 23) is not Verdict.PASS


def told(words, change):
    """The node's word with other arguments of the answer's call."""
    answer = words[0].facts.answer
    call = json.loads(answer.args)
    change(call)
    return with_facts(words, answer=dataclasses.replace(answer, args=json.dumps(call, separators=(",", ":")).encode()))


@pytest.mark.parametrize(
    "change",
    [
        lambda call: call.update(request_id=1),
        lambda call: call["response"].update(success=False),
        lambda call: call["response"].update(error="it trapped"),
        lambda call: call["response"].update(output=None),
        lambda call: call["response"].update(output={"Text": "HELLO "}),
        lambda call: call["response"].update(receipt_sha256="00" * 32),
        lambda call: call["response"]["resources_used"].update(instructions=106),
        lambda call: call["response"]["resources_used"].update(compile_time_ms=1),
        lambda call: call.pop("response"),
    ],
)
def test_a_call_that_tells_something_else_than_the_receipt_is_refused(stage, words, change):
    assert against(checks_of(stage, told(words, change))) == [23]


def test_a_call_without_a_receipts_hash_is_unproven(stage, words):
    assert open_in(checks_of(stage, told(words, lambda call: call["response"].update(receipt_sha256=None)))) == [23]


@pytest.mark.parametrize("method", ["extend_execution", "submit_execution_output"])
def test_another_call_is_no_answer(stage, words, method):
    answer = dataclasses.replace(words[0].facts.answer, method=method)
    assert against(checks_of(stage, with_facts(words, answer=answer))) == [23]


@pytest.mark.parametrize(
    "changes", [{"settings_sha256_hex": "00" * 32}, {"measurements_hex": ("00" * 48,) * 5}, {"public_key": "ed25519:" + "1" * 32}]
)
def test_a_registration_of_something_else_is_refused_also_when_the_bundle_recorded_none(stage, words, changes):
    register = words[0].facts.register
    other = dataclasses.replace(register, registration=dataclasses.replace(register.registration, **changes))
    record = dataclasses.replace(stage.bundle().chain, registration_json=None, outcome_json=None)
    bundle = dataclasses.replace(stage.bundle(), chain=record)
    assert against(checks_of(stage, with_facts(words, register=other), bundle)) == [26]
    end = dataclasses.replace(words[0].facts.end, receipt_sha256_hex="00" * 32)
    assert against(checks_of(stage, with_facts(words, end=end), bundle)) == [24]


def test_another_output_than_the_receipts_is_refused():
    stage = ChainStage(said={"Text": "HELL0"})
    assert against(checks_of(stage, ask([stage], stage.bundle(), stage.receipt))) == [23, 24]


def test_a_long_input_is_read_from_the_call():
    stage = ChainStage(input_text="x" * 12_000)
    assert verdict_of(checks_of(stage, ask([stage], stage.bundle(), stage.receipt))) is Overall.PROVEN


def test_a_transaction_tells_its_request(stage):
    with ServerThread(stage.chain) as server:
        found = asyncio.run(find_request(server.rpc_url, MAIN, hash_to_text(stage.asked.hash), SystemClock()))
        other = asyncio.run(find_request(server.rpc_url, MAIN, hash_to_text(stage.answered.hash), SystemClock()))
    assert found.request.request_id == stage.receipt.request.request_id
    assert other.is_denial


def test_a_key_that_may_call_the_operators_own_contract_leaves_it_unproven():
    careless = ChainStage(closed=False)
    careless.accounts[WORKER].add_key(KeyPair.from_seed("its own").public_key, FunctionCallPermission(None, WORKER, ()))
    careless.close_account()
    checks = checks_of(careless, ask([careless], careless.bundle(), careless.receipt))
    assert (verdict_of(checks), open_in(checks)) == (Overall.UNPROVEN, [28])


def test_a_key_that_may_answer_without_a_registration_leaves_it_unproven():
    careless = ChainStage(closed=False)
    careless.accounts[WORKER].add_key(KeyPair.from_seed("kept back").public_key, FunctionCallPermission(None, MAIN, ()))
    careless.close_account()
    checks = checks_of(careless, ask([careless], careless.bundle(), careless.receipt))
    assert (verdict_of(checks), open_in(checks)) == (Overall.UNPROVEN, [28])


def test_the_key_of_another_registered_worker_is_no_stranger(stage):
    other = KeyPair.from_seed("another worker").public_key
    stage.register(other.raw, str(other))
    words = ask([stage], stage.bundle(), stage.receipt)
    assert [worker["public_key"] for worker in json.loads(stage.view(WORKER, "list_workers"))] == [stage.good.public_key, str(other)]
    assert verdict_of(checks_of(stage, words)) is Overall.PROVEN
