import os
import re
import traceback
from pathlib import Path

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import ConfigurationError
from oracle.settings import ChainSettings, GivenSettings, HomeSettings, Listen, RequesterSettings, Settings, read_settings, redacted_url
from oracle.tee.dstack import DEFAULT_SOCKET
from oracle.tee.pcs import INTEL_PCS

ROOT = Path(__file__).parents[3]


def key(seed: int = 1) -> str:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return "ed25519:" + base58.b58encode(private.private_bytes_raw() + private.public_key().public_bytes_raw()).decode()


GOOD = {
    "NEAR_NETWORK_ID": "testnet",
    "OFFCHAINVM_CONTRACT_ID": "outlayer.testnet",
    "OPERATOR_ACCOUNT_ID": "operator.testnet",
    "OPERATOR_PRIVATE_KEY": key(),
}
NAMES = {name.upper() for kind in (Settings, RequesterSettings) for name in kind.model_fields}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def read(monkeypatch, kind=Settings, **changes: str):
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.setenv(name, value)
    return read_settings(kind)


def problems(monkeypatch, kind=Settings, **changes: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(monkeypatch, kind, **changes)
    return list(refused.value.problems)


def test_the_required_settings_alone_make_a_worker(monkeypatch):
    settings = read(monkeypatch)
    assert settings.rpc_urls == ("http://127.0.0.1:3030",)
    assert settings.operator_keys == (key(),)
    assert settings.database_path == settings.oracle_home / "jobs.sqlite"
    assert settings.oracle_home.is_absolute()
    assert (settings.block_api_url, settings.start_block_height, settings.build_backend) == (None, None, None)
    assert settings.api_listen == Listen("127.0.0.1", 8070)
    assert settings.worker_concurrency == 2 * len(os.sched_getaffinity(0))


def test_guests_share_the_memory_that_is_set_and_the_machines_where_none_is(monkeypatch):
    assert read(monkeypatch).guest_memory_bytes is None
    assert read(monkeypatch, GUEST_MEMORY_MB="192").guest_memory_bytes == 192 * 1024 * 1024


def test_lists_are_split_at_commas_and_kept_in_order(monkeypatch):
    settings = read(monkeypatch, NEAR_RPC_URL="https://a.example/key1/, https://b.example", OPERATOR_PRIVATE_KEY=f"{key(1)},\n{key(2)},")
    assert settings.rpc_urls == ("https://a.example/key1", "https://b.example")
    assert settings.operator_keys == (key(1), key(2))


def test_every_missing_setting_is_a_line_of_its_own():
    with pytest.raises(ConfigurationError) as refused:
        read_settings(Settings)
    assert [line.split()[0] for line in refused.value.problems] == [
        "NEAR_NETWORK_ID", "OFFCHAINVM_CONTRACT_ID", "OPERATOR_ACCOUNT_ID", "OPERATOR_PRIVATE_KEY",
    ]  # fmt: skip
    assert all(" is not set; wanted: " in line for line in refused.value.problems)


def test_all_wrong_settings_are_told_at_once(monkeypatch):
    wrong = {
        "NEAR_NETWORK_ID": "betanet",
        "NEAR_RPC_URL": "ftp://example.com",
        "NEARDATA_API_URL": "neardata",
        "OFFCHAINVM_CONTRACT_ID": "Bad!",
        "OPERATOR_ACCOUNT_ID": "a",
        "OPERATOR_PRIVATE_KEY": "ed25519:abc",
        "START_BLOCK_HEIGHT": "0",
        "DATABASE_URL": "postgresql://db/jobs",
        "WORKER_CONCURRENCY": "0",
        "GUEST_MEMORY_MB": "191",
        "BUILD_BACKEND": "docker",
        "API_LISTEN": "8070",
        "LOG_FORMAT": "xml",
        "LOG_LEVEL": "loud",
    }
    lines = problems(monkeypatch, **wrong)
    assert {re.split(r"[=:]", line)[0] for line in lines} == set(wrong)
    assert all("; wanted: " in line for line in lines)


@pytest.mark.parametrize("kind", [HomeSettings, ChainSettings, RequesterSettings])
def test_a_command_is_not_asked_for_settings_it_does_not_need(monkeypatch, kind):
    monkeypatch.setenv("NEAR_NETWORK_ID", "localnet")
    monkeypatch.setenv("OFFCHAINVM_CONTRACT_ID", "outlayer.test.near")
    monkeypatch.setenv("OPERATOR_PRIVATE_KEY", "nonsense")
    assert read_settings(kind)


SECRETS = {
    "OPERATOR_PRIVATE_KEY": key(9)[:-1] + "0",
    "NEAR_RPC_URL": "https://user:hunter2@rpc.example/v1?apiKey=hunter3 x,ftp://rpc.example/hunter4",
    "NEARDATA_API_URL": "gopher://block.example/hunter5",
    "DATABASE_URL": "postgresql://user:hunter6@db/jobs",
    "OPERATOR_ACCOUNT_ID": key(8),  # pasted into the wrong line
}


def test_no_secret_shows_in_problems_or_tracebacks(monkeypatch):
    for name, value in {**GOOD, **SECRETS}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refused:
        read_settings(Settings)
    text = str(refused.value) + "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert len(refused.value.problems) == len(SECRETS)
    for secret in ("hunter", key(9)[8:-1], key(8)[8:]):
        assert secret not in text


def test_no_secret_shows_in_the_settings_own_text(monkeypatch):
    settings = read(monkeypatch, NEAR_RPC_URL="https://rpc.example/hunter2", NEARDATA_API_URL="https://block.example/hunter3")
    for text in (repr(settings), str(settings), settings.model_dump_json(), f"{settings!r}"):
        assert "hunter" not in text
        assert key()[8:] not in text
    assert set(settings.secrets()) == {"https://rpc.example/hunter2", "https://block.example/hunter3", key()}


def test_a_requesters_key_is_a_secret_too(monkeypatch):
    settings = read(monkeypatch, RequesterSettings, NEAR_ACCOUNT_ID="alice.testnet", NEAR_ACCOUNT_PRIVATE_KEY=key(3))
    assert key(3) in settings.secrets()
    assert key(3)[8:] not in repr(settings)
    assert "NEAR_ACCOUNT_PRIVATE_KEY" in problems(monkeypatch, RequesterSettings, NEAR_ACCOUNT_PRIVATE_KEY="ed25519:x")[0]


def test_a_key_whose_halves_do_not_belong_together_is_refused(monkeypatch):
    raw = base58.b58decode(key(1)[8:])[:32] + base58.b58decode(key(2)[8:])[32:]
    (line,) = problems(monkeypatch, OPERATOR_PRIVATE_KEY="ed25519:" + base58.b58encode(raw).decode())
    assert "damaged" in line


@pytest.mark.parametrize(("value", "reason"), [
    ("secp256k1:abc", "must start with ed25519:"), ("ed25519:0OIl", "64 bytes in base58"),
    (f"{key()},{key()}", "same key twice"), (",", "no key"),
])  # fmt: skip
def test_a_key_of_another_form_is_refused_with_the_reason(monkeypatch, value, reason):
    (line,) = problems(monkeypatch, OPERATOR_PRIVATE_KEY=value)
    assert reason in line


def test_building_without_a_sandbox_is_for_the_local_chain_only(monkeypatch):
    assert read(monkeypatch, NEAR_NETWORK_ID="localnet", BUILD_BACKEND="none").build_backend == "none"
    (line,) = problems(monkeypatch, NEAR_NETWORK_ID="mainnet", BUILD_BACKEND="none")
    assert "leave it unset while NEAR_NETWORK_ID is mainnet" in line


@pytest.mark.parametrize(
    ("text", "listen"),
    [("0.0.0.0:80", Listen("0.0.0.0", 80)), ("[::1]:0", Listen("::1", 0)), ("localhost:8070", Listen("localhost", 8070))],
)
def test_an_address_to_listen_on_is_a_host_and_a_port(monkeypatch, text, listen):
    assert read(monkeypatch, API_LISTEN=text).api_listen == listen
    assert str(listen) == text


@pytest.mark.parametrize("text", ["8070", ":8070", "host:", "host:65536", "host:-1", "host:\uff18"])
def test_anything_else_is_no_address_to_listen_on(monkeypatch, text):
    assert "no address" in problems(monkeypatch, API_LISTEN=text)[0]


def test_a_database_file_is_named_by_a_sqlite_url(monkeypatch):
    assert read(monkeypatch, DATABASE_URL="sqlite:////var/lib/jobs.db").database_path == Path("/var/lib/jobs.db")
    for wrong in ("sqlite://", "sqlite:///", "jobs.db", "sqlite:///x?mode=ro"):
        assert "sqlite:///PATH" in problems(monkeypatch, DATABASE_URL=wrong)[0]


def test_the_environment_stands_above_the_file_and_an_empty_value_is_unset(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\nLOG_FORMAT=json\nNEARDATA_API_URL=\nUNKNOWN=1\n")
    settings = read(monkeypatch, LOG_FORMAT="console")
    assert (settings.log_level, settings.log_format, settings.block_api_url) == ("debug", "console", None)


def test_a_command_lines_option_stands_above_both(monkeypatch):
    monkeypatch.setenv("NEAR_ACCOUNT_ID", "alice.near")
    for name in ("NEAR_NETWORK_ID", "OFFCHAINVM_CONTRACT_ID"):
        monkeypatch.setenv(name, GOOD[name])
    assert read_settings(RequesterSettings, near_account_id="bob.near").near_account_id == "bob.near"
    assert read_settings(RequesterSettings, near_account_id=None).near_account_id == "alice.near"


def test_a_file_that_is_not_text_is_told(tmp_path):
    (tmp_path / ".env").write_bytes(b"LOG_LEVEL=\xff\n")
    with pytest.raises(ConfigurationError, match=r"\.env is not UTF-8"):
        read_settings(HomeSettings)


@pytest.mark.parametrize(
    ("kind", "reason"), [("directory", "Is a directory"), ("/no/such", "No such file"), ("/proc/self/mem", "I/O error|Input")]
)
def test_what_bears_the_files_name_and_cannot_be_read_is_told(tmp_path, kind, reason):
    (tmp_path / ".env").mkdir() if kind == "directory" else (tmp_path / ".env").symlink_to(kind)
    with pytest.raises(
        ConfigurationError, match=rf"^\.env cannot be read \(.*({reason}).*\); it has to be a file that you may read, or start"
    ):
        read_settings(HomeSettings)


def test_each_line_of_the_file_that_is_no_setting_is_told_without_what_is_in_it(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text('LOG_LEVEL=debug\nOPERATOR_PRIVATE_KEY="ed25519:hunter2\n\nexport\n# a comment\nLOG_FORMAT json\n')
    with pytest.raises(ConfigurationError) as refused:
        read_settings(HomeSettings)
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [".env, line 2", ".env, line 6"]
    assert "hunter2" not in str(refused.value)


def test_settings_given_by_hand_do_not_look_around(monkeypatch, tmp_path):
    monkeypatch.setenv("LOG_LEVEL", "debug")
    (tmp_path / ".env").write_text("WORKER_CONCURRENCY=77\n")
    settings = GivenSettings(**{name.lower(): value for name, value in GOOD.items()})
    assert settings.log_level == "info"
    assert settings.worker_concurrency != 77
    assert isinstance(settings, Settings)


TDX = {
    "TEE_MODE": "tdx",
    "OPERATOR_ACCOUNT_ID": "operator.testnet",
    "OPERATOR_PRIVATE_KEY": "",
    "REGISTER_CONTRACT_ID": "operator.testnet",
    "INIT_ACCOUNT_ID": "payer.testnet",
    "INIT_ACCOUNT_PRIVATE_KEY": key(4),
}


def test_a_trusted_machine_has_no_key_of_the_operator(monkeypatch):
    settings = read(monkeypatch, **TDX)
    assert settings.is_attested
    assert settings.operator_keys == ()
    assert key(4) in settings.secrets()
    (problem,) = problems(monkeypatch, **TDX | {"OPERATOR_PRIVATE_KEY": key(1)})
    assert problem.startswith("OPERATOR_PRIVATE_KEY: with TEE_MODE=tdx the key is made in memory")
    assert key(1)[8:] not in problem


def test_a_trusted_machine_needs_a_register_contract_and_somebody_who_pays(monkeypatch):
    empty = {"REGISTER_CONTRACT_ID": "", "INIT_ACCOUNT_ID": "", "INIT_ACCOUNT_PRIVATE_KEY": ""}
    lines = problems(monkeypatch, **TDX | empty)
    assert [line.split(";")[0] for line in lines] == [f"{name} is not set" for name in empty]


def test_an_evm_nodes_url_is_a_secret_where_it_holds_more_than_a_host(monkeypatch):
    settings = read(monkeypatch, **TDX, TEE_EVM_RPC_URL="https://base.example/v2/hunter4")
    assert "https://base.example/v2/hunter4" in settings.secrets()
    assert "hunter4" not in repr(settings)
    (problem,) = problems(monkeypatch, **TDX, TEE_EVM_RPC_URL="base.example/v2/hunter4")
    assert "hunter4" not in problem
    assert not any("base.example" in secret for secret in read(monkeypatch, **TDX, TEE_EVM_RPC_URL="https://base.example").secrets())


def test_the_operator_of_a_trusted_machine_is_the_account_of_the_register_contract(monkeypatch):
    (problem,) = problems(monkeypatch, **TDX | {"REGISTER_CONTRACT_ID": "register.testnet"})
    assert problem.startswith("OPERATOR_ACCOUNT_ID='operator.testnet': with TEE_MODE=tdx the key comes on the account")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEE_MODE", "sgx"),
        ("DSTACK_SIMULATOR_ENDPOINT", "ftp://x"),
        ("PCCS_URL", "pccs"),
        ("PCCS_URL", "https://pccs.example?key=k"),
        ("QUOTE_BATCH_MS", "1001"),
        ("TEE_EVM_RPC_URL", "node"),
        ("TEE_EVM_CHAIN_ID", "0"),
    ],
)
def test_wrong_settings_of_a_trusted_machine_are_named(monkeypatch, name, value):
    (problem,) = problems(monkeypatch, **TDX | {name: value}) if name != "TEE_MODE" else problems(monkeypatch, **{name: value})
    assert problem.startswith(name)


def test_the_usual_socket_and_service_are_those_of_the_room_that_speaks_to_them():
    assert Settings.model_fields["dstack_simulator_endpoint"].default == DEFAULT_SOCKET
    assert Settings.model_fields["pccs_url"].default == INTEL_PCS


def test_settings_are_frozen(monkeypatch):
    with pytest.raises(ValueError, match="frozen"):
        read(monkeypatch).log_level = "debug"


def test_the_example_names_every_setting_with_its_default_and_nothing_else():
    entries = re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert {name for name, _ in entries} == NAMES
    assert len(entries) == len(NAMES)
    fields = {**RequesterSettings.model_fields, **Settings.model_fields}
    active = dict(re.findall(r"^([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    for name in ("API_LISTEN", "ORACLE_HOME", "LOG_FORMAT", "LOG_LEVEL", "TEE_MODE"):
        assert active[name] == str(fields[name.lower()].default)
    for name in ("DSTACK_SIMULATOR_ENDPOINT", "PCCS_URL", "QUOTE_BATCH_MS"):
        assert dict(entries)[name] == str(fields[name.lower()].default)
    assert active["NEAR_RPC_URL"] == fields["near_rpc_url"].default[0].get_secret_value()


def test_the_example_becomes_a_worker_once_the_key_is_filled_in(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text().replace("OPERATOR_PRIVATE_KEY=", f"OPERATOR_PRIVATE_KEY={key()}"))
    assert read_settings(Settings).near_network_id == "localnet"


def test_the_paper_describes_every_setting_and_nothing_else():
    paper = (ROOT / "docs" / "configuration.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", paper, re.MULTILINE)) == NAMES


@pytest.mark.parametrize(("url", "shown"), [
    ("https://rpc.example", "https://rpc.example"), ("https://rpc.example:444/", "https://rpc.example:444"),
    ("https://rpc.example/v1/key", "https://rpc.example/…"), ("https://rpc.example?key=1", "https://rpc.example/…"),
    ("https://u:p@rpc.example", "https://rpc.example/…"), ("http://[::1]:3030", "http://[::1]:3030"), ("nonsense", "…"), ("http://[x", "…"),
])  # fmt: skip
def test_of_a_url_only_the_place_is_shown(url, shown):
    assert redacted_url(url) == shown


@given(st.text(max_size=80))
def test_any_text_can_be_redacted(text):
    assert redacted_url(text)
