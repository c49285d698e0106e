import json
import stat

import pytest
from aiohttp import web

from tests.integration.oracle.cli.node import Refused, key_of

PERMISSION = {
    "FunctionCall": {
        "allowance": str(5 * 10**24),
        "receiver_id": "outlayer.test.near",
        "method_names": ["resolve_execution", "submit_execution_output", "submit_execution_output_and_resolve", "extend_execution"],
    }
}


@pytest.fixture
def healthy(node, settings, monkeypatch):
    """A chain, a contract and a worker's settings with nothing to complain about."""
    node.views |= {
        "get_config": ["owner.test.near", "operator.test.near"],
        "is_paused": False,
        "get_pricing": [str(10**21), "1", "1", "1"],
        "extend_execution": None,
    }
    node.queries["view_account"] = {"amount": str(10 * 10**24)}
    node.queries["view_access_key"] = {"nonce": 1, "permission": PERMISSION}
    settings.setenv("OPERATOR_ACCOUNT_ID", "operator.test.near")
    settings.setenv("OPERATOR_PRIVATE_KEY", key_of("operator"))
    settings.setenv("NEARDATA_API_URL", node.url)
    settings.setenv("API_LISTEN", "127.0.0.1:0")
    return node


def examine(oracle) -> tuple[int, dict[str, list[dict]]]:
    code, out, _ = oracle("doctor", "--json")
    told = json.loads(out)
    assert told["ok"] == (code == 0)
    by_name: dict[str, list[dict]] = {}
    for check in told["checks"]:
        by_name.setdefault(check["name"], []).append(check)
        assert (check["mend"] is None) == (check["verdict"] == "ok")
    return code, by_name


def test_a_healthy_worker_is_all_ok(healthy, oracle):
    code, found = examine(oracle)
    assert code == 0
    assert {check["verdict"] for checks in found.values() for check in checks} == {"ok"}
    assert set(found) == {
        "settings file", "settings", "state directory", "disk", "database", "guests", "node", "sources", "interface", "tee", "blocks",
        "contract", "operator", "key",
    }  # fmt: skip
    assert "ran echo" in found["guests"][0]["found"]


def test_a_policy_that_cannot_be_read_is_told_though_no_tee_is_asked_for(healthy, oracle, settings):
    settings.setenv("TEE_POLICY_FILE", "/no/such.toml")
    code, found = examine(oracle)
    assert (code, found["policy"][0]["verdict"]) == (1, "fail")


def test_people_read_a_line_a_check_with_its_mend_below(healthy, oracle):
    healthy.views["is_paused"] = True
    code, out, _ = oracle("doctor")
    assert code == 0
    assert "warn  contract: outlayer.test.near is paused: it takes no new requests\n      → let owner.test.near call set_paused\n" in out


def test_no_secret_shows(healthy, oracle, settings):
    settings.setenv("NEAR_RPC_URL", f"{healthy.url}/hunter2hunter2,http://127.0.0.1:9/hunter3hunter3")
    code, out, err = oracle("doctor")
    assert code == 1
    for secret in ("hunter2", "hunter3", key_of("operator")[8:]):
        assert secret not in out + err


def test_wrong_settings_are_told_and_the_machine_is_looked_at_all_the_same(healthy, oracle, settings):
    settings.setenv("OPERATOR_PRIVATE_KEY", "nonsense")
    code, found = examine(oracle)
    assert code == 1
    assert found["settings"][0]["verdict"] == "fail"
    assert {"state directory", "guests", "node"} <= set(found)
    assert "operator" not in found


def test_each_node_is_asked_for_itself(healthy, oracle, settings):
    settings.setenv("NEAR_RPC_URL", f"{healthy.url},http://127.0.0.1:9")
    code, found = examine(oracle)
    assert (code, [check["verdict"] for check in found["node"]]) == (1, ["ok", "fail"])
    assert "localnet run" in found["node"][1]["mend"]


def test_another_chain_is_a_failure(healthy, oracle):
    healthy.chain_id = "testnet"
    code, found = examine(oracle)
    assert code == 1
    assert "is testnet, NEAR_NETWORK_ID is localnet" in found["node"][0]["found"]


def test_a_contract_with_another_operator_is_a_failure(healthy, oracle):
    healthy.views["get_config"] = ["owner.test.near", "somebody.test.near"]
    code, found = examine(oracle)
    assert code == 1
    assert "set_operator" in found["contract"][0]["mend"]


def test_an_account_without_the_contract_is_a_failure(healthy, oracle):
    del healthy.views["get_config"]
    code, found = examine(oracle)
    assert (code, found["contract"][0]["verdict"]) == (1, "fail")


def test_a_contract_that_cannot_extend_is_well_all_the_same(healthy, oracle):
    del healthy.views["extend_execution"]
    code, found = examine(oracle)
    assert code == 0
    assert "no extend_execution" in found["contract"][1]["found"]


def test_an_operator_that_does_not_exist_is_a_failure(healthy, oracle):
    def unknown(_params):
        raise Refused("UNKNOWN_ACCOUNT", "account operator.test.near does not exist while viewing")

    healthy.queries["view_account"] = unknown
    code, found = examine(oracle)
    assert (code, found["operator"][0]["verdict"]) == (1, "fail")


def test_an_operator_that_is_nearly_broke_is_a_warning(healthy, oracle):
    healthy.queries["view_account"] = {"amount": str(10**23)}
    code, found = examine(oracle)
    assert (code, found["operator"][0]["verdict"]) == (0, "warn")


@pytest.mark.parametrize(("answer", "verdict", "word"), [
    ({"nonce": 1, "permission": "FullAccess"}, "warn", "everything"),
    ({"error": "access key ed25519:K does not exist while viewing"}, "fail", "has no key"),
    ({"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "receiver_id": "other.near"}}}, "fail", "other.near only"),
    ({"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "method_names": ["x"]}}}, "fail", "may not call resolve_execution"),
    ({"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "method_names": [], "allowance": None}}}, "ok", "without an allowance"),
    ({"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "allowance": str(10**22)}}}, "warn", "0.01 NEAR of its allowance"),
])  # fmt: skip
def test_what_a_key_may_do_is_judged(healthy, oracle, answer, verdict, word):
    healthy.queries["view_access_key"] = answer
    code, found = examine(oracle)
    assert (found["key"][0]["verdict"], code) == (verdict, int(verdict == "fail"))
    assert word in found["key"][0]["found"]


NO_AMOUNTS = ["x", "-5", [], 1.5, float("inf"), str(2**128), "9" * 5_000]


@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_an_allowance_that_is_no_amount_is_a_failure(healthy, oracle, amount):
    healthy.queries["view_access_key"] = {"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "allowance": amount}}}
    code, found = examine(oracle)
    assert (code, found["key"][0]["verdict"]) == (1, "fail")
    assert "not an amount in yoctoNEAR" in found["key"][0]["found"]


@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_a_balance_that_is_no_amount_is_a_failure(healthy, oracle, amount):
    healthy.queries["view_account"] = {"amount": amount}
    code, found = examine(oracle)
    assert (code, found["operator"][0]["verdict"]) == (1, "fail")


def test_what_a_node_says_forges_no_line_and_steers_no_terminal(healthy, oracle):
    healthy.chain_id = "\x9b2J\x07\nok    node: fine"
    code, out, _ = oracle("doctor")
    assert code == 1
    assert "is \ufffd2J\ufffd ok    node: fine, NEAR_NETWORK_ID is localnet" in out


def test_half_a_surrogate_pair_from_a_node_is_told_as_json_escapes_it(healthy, oracle):
    healthy.chain_id = "\ud800"
    assert oracle("doctor")[0] == 1
    code, found = examine(oracle)
    assert code == 1
    assert "is \ud800, NEAR_NETWORK_ID is localnet" in found["node"][0]["found"]


def test_a_key_that_may_answer_but_not_extend_is_a_warning_where_the_contract_can_extend(healthy, oracle):
    methods = PERMISSION["FunctionCall"]["method_names"][:3]
    healthy.queries["view_access_key"] = {"permission": {"FunctionCall": {**PERMISSION["FunctionCall"], "method_names": methods}}}
    code, found = examine(oracle)
    assert (code, found["key"][0]["verdict"]) == (0, "warn")
    assert "may not call extend_execution" in found["key"][0]["found"]
    del healthy.views["extend_execution"]
    assert examine(oracle)[1]["key"][0]["verdict"] == "ok"


def test_the_methods_that_a_key_needs_are_named_whole(healthy, oracle):
    healthy.queries["view_access_key"] = {"nonce": 1, "permission": "FullAccess"}
    assert all(method in examine(oracle)[1]["key"][0]["mend"] for method in PERMISSION["FunctionCall"]["method_names"])


def test_a_block_api_that_is_none_is_a_failure_and_without_one_rpc_is_used(healthy, oracle, settings):
    settings.setenv("NEARDATA_API_URL", "http://127.0.0.1:9")
    assert examine(oracle)[1]["blocks"][0]["verdict"] == "fail"
    settings.delenv("NEARDATA_API_URL")
    assert "over RPC" in examine(oracle)[1]["blocks"][0]["found"]


def test_misspelt_and_open_settings_files_are_warnings(healthy, oracle, tmp_path):
    env_file = tmp_path / "here" / ".env"
    env_file.write_text("NEAR_RPC_URLS=x\n")
    env_file.chmod(0o644)
    code, found = examine(oracle)
    assert code == 0
    assert "NEAR_RPC_URL?" in found["settings file"][0]["mend"]
    assert found["settings file"][1]["mend"] == f"chmod 600 {env_file}"


def test_a_damaged_settings_file_is_told_once(healthy, oracle, tmp_path, caplog):
    (tmp_path / "here" / ".env").write_text('NEAR_RPC_URLS=x\nLOG_LEVEL="debug\n')
    code, out, err = oracle("doctor")
    assert (code, err, caplog.messages) == (1, "", [])  # the parser has words of its own for it, which are no help
    assert out.count(".env, line 2: is no setting") == out.count("fail  ") == 1
    assert "nothing reads NEAR_RPC_URLS" in out


def test_a_directory_of_the_settings_files_name_is_told_once(healthy, oracle, tmp_path):
    (tmp_path / "here" / ".env").mkdir()
    code, out, err = oracle("doctor")
    assert (code, err) == (1, "")
    assert out.count("fail  settings: .env cannot be read (Is a directory)") == out.count("fail  ") == 1
    assert "settings file" not in out


def test_an_open_state_directory_is_a_warning(healthy, oracle, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o755)
    code, found = examine(oracle)
    assert (code, found["state directory"][0]["mend"]) == (0, f"chmod 700 {tmp_path / 'home'}")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o755


def test_a_state_directory_made_on_the_way_is_for_its_owner_alone(healthy, oracle, tmp_path):
    assert examine(oracle)[0] == 0
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert examine(oracle)[1]["state directory"][0]["verdict"] == "ok"


def test_a_state_directory_that_is_a_file_is_a_failure(healthy, oracle, tmp_path):
    (tmp_path / "home").write_text("")
    code, found = examine(oracle)
    assert (code, found["state directory"][0]["verdict"]) == (1, "fail")


def test_a_damaged_database_is_a_failure(healthy, oracle, tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "jobs.sqlite").write_bytes(b"not a database at all" * 100)
    code, found = examine(oracle)
    assert (code, found["database"][0]["verdict"]) == (1, "fail")


def test_an_interface_for_everybody_is_a_warning(healthy, oracle, settings):
    settings.setenv("API_LISTEN", "0.0.0.0:0")
    code, found = examine(oracle)
    assert (code, found["interface"][0]["verdict"]) == (0, "warn")


@pytest.mark.parametrize(("health", "told"), [
    ({"status": "ok", "contract_id": "outlayer.test.near"}, "ok: a worker for outlayer.test.near runs there"),
    ({"status": "ok", "contract_id": "other.near"}, "warn: is the interface of a worker for other.near"),
    ({"contract_id": 5}, "warn: Address already in use"), ([], "warn: Address already in use"), ("", "warn: Address already in use"),
])  # fmt: skip
def test_an_interface_in_use_is_well_when_it_is_the_workers_own(healthy, oracle, settings, health, told):
    healthy.pages["/health"] = health
    settings.setenv("API_LISTEN", healthy.url.removeprefix("http://"))
    code, found = examine(oracle)
    verdict, words = told.split(": ", 1)
    assert (code, found["interface"][0]["verdict"]) == (0, verdict)
    assert words in found["interface"][0]["found"]


def test_an_interface_that_sends_elsewhere_is_nobodys(healthy, oracle, settings):
    healthy.pages |= {
        "/health": web.Response(status=302, headers={"Location": f"{healthy.url}/elsewhere"}),
        "/elsewhere": {"contract_id": "outlayer.test.near"},
    }
    settings.setenv("API_LISTEN", healthy.url.removeprefix("http://"))
    assert "Address already in use" in examine(oracle)[1]["interface"][0]["found"]


def test_missing_build_tools_are_a_failure_only_when_they_are_wanted(healthy, oracle, settings, monkeypatch):
    monkeypatch.setattr("oracle.cli.checks.machine.has_ziglang", lambda: False)
    assert examine(oracle)[0] == 0
    settings.setenv("BUILD_BACKEND", "none")
    code, found = examine(oracle)
    assert code == 1
    assert "near-compute-oracle[build]" in found["sources"][0]["mend"]
