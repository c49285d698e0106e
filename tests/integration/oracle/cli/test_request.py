import base64
import json

import pytest

from localnet.values.transaction import read_signed_transaction
from tests.integration.oracle.cli.node import HASH, Refused, key_of

ALICE = "alice.test.near"
SHA = "ab" * 32


def event(name: str, data: object) -> str:
    return "EVENT_JSON:" + json.dumps({"standard": "near-outlayer", "version": "1.0.0", "event": name, "data": [data]})


def receipt(*logs: str, executor: str = "outlayer.test.near", status: object = None) -> dict:
    return {"id": "R", "outcome": {"executor_id": executor, "logs": list(logs), "status": status or {"SuccessValue": ""}}}


def completed(*, success: bool = True, error: str | None = None) -> str:
    used = {"instructions": 1234, "time_ms": 5, "compile_time_ms": None}
    facts = {"request_id": 7, "sender_id": ALICE, "resources_used": used, "success": success, "error_message": error}
    return event("execution_completed", {**facts, "payment_charged": str(10**21), "payment_refunded": str(6 * 10**21)})


REQUESTED = event("execution_requested", {"request_data": json.dumps({"request_id": 7}), "data_id": [0] * 32, "timestamp": 1})
PENDING = {"status": "Started", "final_execution_status": "INCLUDED", "receipts_outcome": [receipt(REQUESTED)]}
NONSENSE = receipt(completed(success=False, error="forged"), executor="evil.test.near")
UNDONE = receipt(completed(success=False, error="undone"), status={"Failure": {}})


def ended(value: object, *logs: str) -> dict:
    status = {"SuccessValue": base64.b64encode(json.dumps(value).encode()).decode()}
    return {"status": status, "final_execution_status": "FINAL", "receipts_outcome": [receipt(REQUESTED), NONSENSE, UNDONE, receipt(*logs)]}


@pytest.fixture
def asked(node, settings):
    """A node on which a request is taken in, and answered at the third look."""
    looks = [PENDING, PENDING, ended("the answer", completed())]
    node.views["get_pricing"] = [str(10**21), str(10**14), str(10**17), str(10**17)]
    node.queries["view_access_key"] = {"nonce": 41, "permission": "FullAccess", "block_height": 1, "block_hash": "x"}
    node.methods["send_tx"] = lambda _: {"final_execution_status": "INCLUDED"}
    node.methods["tx"] = lambda _: looks.pop(0) if len(looks) > 1 else looks[0]
    node.looks = looks
    settings.setenv("NEAR_ACCOUNT_ID", ALICE)
    settings.setenv("NEAR_ACCOUNT_PRIVATE_KEY", key_of("alice"))
    return node


def sent(node) -> object:
    (params,) = [params for method, params in node.asked if method == "send_tx"]
    return read_signed_transaction(base64.b64decode(params["signed_tx_base64"]))


def test_a_request_is_signed_sent_and_its_answer_shown(asked, oracle):
    code, out, err = oracle("request", "https://example.com/m.wasm", "--hash", SHA.upper(), "--input", "hi", "--max-seconds", "10")
    assert (code, out) == (0, "the answer\n")
    assert "Request 7 is on chain" in err
    assert "1,234 instructions · 5 ms · charged 0.001 NEAR, refunded 0.006 NEAR" in err
    signed = sent(asked)
    assert signed.is_signed_by_its_key()
    (action,) = signed.transaction.actions
    assert (signed.transaction.signer_id, signed.transaction.receiver_id, signed.transaction.nonce) == (ALICE, "outlayer.test.near", 42)
    assert action.method_name == "request_execution"
    assert action.deposit_yocto == 10**21 + 1000 * 10**14 + 10_000 * 10**17
    assert json.loads(action.args) == {
        "source": {"WasmUrl": {"url": "https://example.com/m.wasm", "hash": SHA}},
        "response_format": "Text",
        "input_data": "hi",
        "resource_limits": {"max_instructions": 1_000_000_000, "max_memory_mb": 128, "max_execution_seconds": 10},
    }


def test_json_tells_everything_in_one_object(asked, oracle):
    code, out, _ = oracle("request", "echo", "--json")
    told = json.loads(out)
    assert code == 0
    assert told.pop("transaction_hash")
    assert told == {
        "request_id": 7, "status": "succeeded", "output": "the answer", "error": None, "instructions": 1234, "time_ms": 5,
        "compile_time_ms": None, "charged_yocto": str(10**21), "refunded_yocto": str(6 * 10**21),
    }  # fmt: skip


def test_a_failed_request_is_a_sentence_and_exit_code_1(asked, oracle):
    asked.looks[:] = [ended(None, completed(success=False, error="The guest ran out of instructions."))]
    code, out, err = oracle("request", "echo")
    assert (code, out) == (1, "")
    assert "Error: the request failed: The guest ran out of instructions." in err


def test_why_a_request_failed_is_told_line_by_line_and_steers_no_terminal(asked, oracle):
    asked.looks[:] = [ended(None, completed(success=False, error="main.c:3\n\x9b2Jno such\x07 thing"))]
    assert "Error: the request failed: main.c:3\n\ufffd2Jno such\ufffd thing\n" in oracle("request", "echo")[2]


def test_an_answer_with_half_a_surrogate_pair_is_shown_as_json_escapes_it(asked, oracle):
    asked.looks[:] = [ended(["\ud800"], completed())]
    assert oracle("request", "echo")[:2] == (0, '["\\ud800"]\n')
    assert json.loads(oracle("request", "echo", "--json")[1])["output"] == ["\ud800"]


def test_a_transaction_that_fails_tells_the_contracts_reason(asked, oracle):
    failure = {"ActionError": {"index": 0, "kind": {"FunctionCallError": {"ExecutionError": "Smart contract panicked: deposit too small"}}}}
    asked.looks[:] = [{"status": {"Failure": failure}, "receipts_outcome": []}]
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "deposit too small" in err
    code, out, _ = oracle("request", "echo", "--json")
    assert (code, json.loads(out)["status"]) == (1, "refused")


def test_without_waiting_it_returns_when_the_request_is_on_chain(asked, oracle):
    code, out, err = oracle("request", "echo", "--no-wait", "--json")
    assert (code, json.loads(out)["request_id"], json.loads(out)["status"]) == (0, 7, "pending")
    assert "Request 7 is on chain" in err


def test_an_answer_that_does_not_come_in_time_says_how_to_look_again(asked, oracle):
    asked.looks[:] = [PENDING]
    code, _, err = oracle("request", "echo", "--timeout", "1")
    assert code == 1
    assert "oracle show 7" in err


def test_a_node_that_has_not_seen_the_transaction_yet_is_asked_again(asked, oracle):
    answers = [
        Refused("UNKNOWN_TRANSACTION", "Transaction H doesn't exist"),
        Refused("TIMEOUT_ERROR", "Timeout"),
        ended("late", completed()),
    ]

    def tx(_params):
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Refused):
            raise answer
        return answer

    asked.methods["tx"] = tx
    assert oracle("request", "echo")[:2] == (0, "late\n")


@pytest.mark.parametrize(("balance", "told"), [
    (str(5 * 10**24), f"{ALICE} has 5 NEAR and the transaction needs 500.1 NEAR, gas included (NotEnoughBalance)"),
    ("x", "NotEnoughBalance {'signer_id'"),
])  # fmt: skip
def test_a_transaction_that_the_chain_refuses_is_told_at_once(asked, oracle, balance, told):
    facts = {"signer_id": ALICE, "balance": balance, "cost": str(5001 * 10**23)}

    def refuse(_params):
        raise Refused("INVALID_TRANSACTION", {"TxExecutionError": {"InvalidTxError": {"NotEnoughBalance": facts}}})

    asked.methods["send_tx"] = refuse
    code, out, err = oracle("request", "echo", "--deposit", "500")
    assert (code, out) == (1, "")
    assert f"Error: the chain refuses the transaction: {told}" in err
    assert "Sent" not in err


@pytest.mark.parametrize(
    "header", [{"hash": "l0OI"}, {"hash": ""}, {"hash": "1" * 33}, {"hash": "x" * 64}, {"height": 2**70}, {"timestamp_nanosec": "x"}]
)
def test_a_block_that_no_transaction_can_name_is_told_and_nothing_is_signed(asked, oracle, header):
    asked.methods["block"] = lambda _: {"header": {"height": 100, "hash": HASH, "timestamp_nanosec": "1"} | header}
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "the node's" in err
    assert "Sent" not in err


@pytest.mark.parametrize("nonce", [-2, 105_000_000, 2**64 - 1, 10**40])
def test_a_nonce_that_no_key_can_have_is_told_and_nothing_is_signed(asked, oracle, nonce):
    asked.queries["view_access_key"] = {"nonce": nonce, "permission": "FullAccess"}
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "which no key can have at block 100" in err


@pytest.mark.parametrize("gas", [-1, 2**64, 10**40])
def test_gas_that_no_transaction_carries_is_told_and_nothing_is_signed(asked, oracle, gas):
    asked.views["get_minimum_gas"] = gas
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "a transaction carries at most 1000000000000000" in err


@pytest.mark.parametrize("gas", [float("inf"), "much", None, []])
def test_a_contract_that_tells_no_least_gas_gets_what_every_version_takes(asked, oracle, gas):
    asked.views["get_minimum_gas"] = gas
    assert oracle("request", "echo")[0] == 0
    assert sent(asked).transaction.actions[0].gas == 100 * 10**12


def test_prices_beyond_all_near_are_told_and_nothing_is_signed(asked, oracle):
    asked.views["get_pricing"] = [str(2**128 - 1)] * 4
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "more than there can be" in err


def test_a_node_that_gives_up_waiting_for_the_block_is_asked_for_the_transaction(asked, oracle):
    def give_up(_params):
        raise Refused("TIMEOUT_ERROR", "Timeout")

    asked.methods["send_tx"] = give_up
    assert oracle("request", "echo")[:2] == (0, "the answer\n")


def test_the_contracts_least_gas_is_attached_with_a_margin(asked, oracle):
    asked.views["get_minimum_gas"] = lambda args: 150 * 10**12 if args == {"input_bytes": 3} else 0
    oracle("request", "echo", "--input", "abc")
    assert sent(asked).transaction.actions[0].gas == 170 * 10**12


def test_a_long_input_carries_its_storage_deposit(asked, oracle, tmp_path):
    (tmp_path / "input").write_text("x" * 20_000)
    oracle("request", "echo", "--input", f"@{tmp_path / 'input'}")
    assert sent(asked).transaction.actions[0].deposit_yocto == 10**21 + 1000 * 10**14 + 60_000 * 10**17 + 21_000 * 10**19


@pytest.mark.parametrize(
    ("near", "yocto"), [("1", 10**24), ("0.05", 5 * 10**22), ("12345678901234.000000000000000000000001", 12345678901234 * 10**24 + 1)]
)
def test_a_deposit_is_read_exactly(asked, oracle, near, yocto):
    oracle("request", "echo", "--deposit", near)
    assert sent(asked).transaction.actions[0].deposit_yocto == yocto


@pytest.mark.parametrize(("arguments", "source"), [
    (("github.com/o/r", "--commit", "0A" * 20), {"GitHub": {"repo": "github.com/o/r", "commit": "0a" * 20}}),
    (("github.com/o/r", "--commit", "0" * 64), {"GitHub": {"repo": "github.com/o/r", "commit": "0" * 64}}),
    (("owner.near/app", "--project"), {"Project": {"project_id": "owner.near/app"}}),
])  # fmt: skip
def test_repositories_and_projects_are_named_by_an_option(asked, oracle, arguments, source):
    assert oracle("request", *arguments)[0] == 0
    assert json.loads(sent(asked).transaction.actions[0].args)["source"] == source


def test_a_file_of_this_machine_is_named_by_its_url_and_hash(asked, oracle, tmp_path):
    (tmp_path / "m.wasm").write_bytes(b"\0asm")
    assert oracle("request", str(tmp_path / "m.wasm"), "--compile-only")[0] == 0
    arguments = json.loads(sent(asked).transaction.actions[0].args)
    assert arguments["source"]["WasmUrl"]["url"] == (tmp_path / "m.wasm").as_uri()
    assert arguments["params"] == {"compile_only": True}
    assert not {"resource_limits", "input_data"} & set(arguments)


@pytest.mark.parametrize(("arguments", "mend"), [
    (("https://example.com/m.wasm",), "--hash"), (("https://example.com/m.wasm", "--hash", "xyz"), "64 hex digits"),
    (("no_such_guest",), "those are: "), (("echo", "--hash", SHA), "taken from the file"),
    (("github.com/o/r", "--commit", "0" * 39), f"--commit {'0' * 39}: give all 40 hex digits"),
    (("github.com/o/r", "--commit", "main"), "git rev-parse HEAD"), (("/", "--commit", "0" * 41), "40 hex digits"),
    (("/",), "/ is a directory; name the wasm file in it"),
    (("x", "--hash", SHA, "--commit", "y"), "exclude each other"), (("echo", "--deposit", "1e3"), "amount in NEAR"),
    (("echo", "--deposit", "-1"), "amount in NEAR"), (("echo", "--input", "@/no/such"), "cannot be read"),
    ((), "SOURCE"), (("echo", "--timeout", "nan"), "number of seconds"),
])  # fmt: skip
def test_wrong_usage_names_the_mend_and_sends_nothing(asked, oracle, arguments, mend):
    code, out, err = oracle("request", *arguments)
    assert (code, out) == (2, "")
    assert mend in err
    assert not [method for method, _ in asked.asked if method == "send_tx"]


@pytest.mark.parametrize(("arguments", "told"), [
    (("--max-instructions", "100000000001"), "--max-instructions 100000000001: outlayer.test.near takes at most 100000000000; ask for"),
    (("--max-seconds", "61"), "--max-seconds 61: outlayer.test.near takes at most 60; ask for no more"),
    (("--max-seconds", "1", "--deposit", "0.0011"), "--deposit 0.0011: the request needs 0.0011001 NEAR; give as much"),
    (("--compile-only", "--deposit", "0.000999"), "--deposit 0.000999: the request needs 0.001 NEAR; give as much"),
])  # fmt: skip
def test_what_the_contract_would_refuse_is_told_before_gas_is_spent(asked, oracle, arguments, told):
    asked.views["get_max_limits"] = [100_000_000_000, 60, 300]
    code, out, err = oracle("request", "echo", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert not [method for method, _ in asked.asked if method == "send_tx"]


@pytest.mark.parametrize("arguments", [
    ("--max-instructions", "100000000000", "--max-seconds", "60"),
    ("--max-seconds", "1", "--deposit", "0.0011001"),
    ("--compile-only", "--deposit", "0.001"), ("--compile-only", "--max-seconds", "61"),
])  # fmt: skip
def test_what_the_contract_takes_is_sent(asked, oracle, arguments):
    asked.views["get_max_limits"] = [100_000_000_000, 60, 300]
    assert oracle("request", "echo", *arguments)[0] == 0


def test_a_contract_that_tells_neither_caps_nor_prices_judges_by_itself(asked, oracle):
    del asked.views["get_pricing"]
    assert oracle("request", "echo", "--max-seconds", "86400", "--deposit", "0.000001")[0] == 0
    assert sent(asked).transaction.actions[0].deposit_yocto == 10**18


def test_a_key_file_names_account_and_key(asked, oracle, settings, tmp_path):
    settings.delenv("NEAR_ACCOUNT_ID")
    settings.delenv("NEAR_ACCOUNT_PRIVATE_KEY")
    (tmp_path / "key.json").write_text(json.dumps({"account_id": "test.near", "public_key": "x", "secret_key": key_of("root")}))
    assert oracle("request", "echo", "--key-file", str(tmp_path / "key.json"))[0] == 0
    assert sent(asked).transaction.signer_id == "test.near"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"private_key": "ed25519:hunter2hunter2"}', '"ed25519:hunter2hunter2"'])
def test_a_key_file_of_another_shape_is_refused_without_showing_it(asked, oracle, tmp_path, content):
    (tmp_path / "key.json").write_text(content)
    code, _, err = oracle("request", "echo", "--key-file", str(tmp_path / "key.json"))
    assert code == 2
    assert "wanted: JSON" in err
    assert "hunter2" not in err


def test_without_account_and_key_both_mends_are_told(asked, oracle, settings):
    settings.delenv("NEAR_ACCOUNT_ID")
    settings.delenv("NEAR_ACCOUNT_PRIVATE_KEY")
    code, _, err = oracle("request", "echo")
    assert code == 2
    assert "--account" in err
    assert "--key-file" in err


def test_a_key_that_may_carry_no_deposit_is_told_before_anything_is_sent(asked, oracle):
    asked.queries["view_access_key"] = {
        "nonce": 1,
        "permission": {"FunctionCall": {"allowance": None, "receiver_id": "x", "method_names": []}},
    }
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "full-access key" in err


def test_a_chain_other_than_the_settings_name_is_refused(asked, oracle):
    asked.chain_id = "mainnet"
    code, _, err = oracle("request", "echo")
    assert code == 2
    assert "NEAR_NETWORK_ID='localnet'" in err
    assert "'mainnet'" in err


def test_a_node_that_does_not_answer_is_told_without_its_secret(settings, oracle):
    settings.setenv("NEAR_RPC_URL", "http://127.0.0.1:9/hunter2hunter2")
    settings.setenv("NEAR_ACCOUNT_ID", ALICE)
    settings.setenv("NEAR_ACCOUNT_PRIVATE_KEY", key_of("alice"))
    code, _, err = oracle("request", "echo")
    assert code == 1
    assert "127.0.0.1:9" in err
    assert "hunter2" not in err
