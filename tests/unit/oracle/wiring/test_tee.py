import pytest

from localnet import KeyPair
from oracle.errors import ConfigurationError
from oracle.settings import TeeSettings, read_settings
from oracle.tee.policy import Policy
from oracle.tee.root import INTEL
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.wiring.tee import independent_nodes, trust_of

KEY = KeyPair.from_seed("payer").secret_key


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in TeeSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def settings(**changes):
    tdx = {"tee_mode": "tdx", "register_contract_id": "w.near", "init_account_id": "p.near", "init_account_private_key": KEY}
    urls = "https://a.example/key,https://b.example"
    plain = {"near_network_id": "mainnet", "offchainvm_contract_id": "o.near", "near_rpc_url": urls}
    return read_settings(TeeSettings, **{**plain, **tdx, **changes})


def test_without_files_intels_root_and_the_default_policy_are_trusted():
    trust = trust_of(settings())
    assert trust.root is INTEL
    assert trust.policy is Policy.DEFAULT
    assert trust.security.root_sha256_hex == INTEL.sha256_hex
    assert (trust.security.independent_nodes, trust.security.two_nodes) == (2, True)


def test_nodes_on_one_host_are_one_node():
    one = settings(near_rpc_url="https://a.example/key1,https://a.example:8443/key2")
    assert independent_nodes(one) == ("https://a.example/key1",)
    with pytest.raises(ConfigurationError, match="NEAR_RPC_URL: the policy believes a request when two independent nodes agree"):
        trust_of(one)


def test_nodes_of_the_local_chain_are_told_apart_by_their_ports():
    urls = ("http://127.0.0.1:3030", "http://127.0.0.1:3031")
    assert independent_nodes(settings(near_network_id="localnet", near_rpc_url=",".join(urls))) == urls


def test_without_a_tee_one_node_is_enough_and_no_root_counts():
    trust = trust_of(settings(tee_mode="none", near_rpc_url="https://a.example"))
    assert (trust.security.root_sha256_hex, trust.security.two_nodes) == (None, False)


def test_another_root_and_a_laxer_policy_move_the_digest(tmp_path):
    (tmp_path / "root.der").write_bytes(Simulator(SimulatorOptions(seed="wiring")).root_der)
    (tmp_path / "policy.toml").write_text('[tcb]\nstatuses = ["UpToDate", "OutOfDate"]\n')
    digests = {
        trust_of(settings(**changed)).security.sha256_hex
        for changed in ({}, {"tee_root_ca": tmp_path / "root.der"}, {"tee_policy_file": tmp_path / "policy.toml"})
    }
    assert len(digests) == 3


def test_a_file_that_is_missing_is_a_wrong_setting(tmp_path):
    with pytest.raises(ConfigurationError, match="TEE_ROOT_CA"):
        trust_of(settings(tee_root_ca=tmp_path / "none.pem"))
