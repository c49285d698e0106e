import json

from oracle.settings import ChainSettings


def test_prices_come_from_the_contract_in_the_settings(node, settings, oracle):
    node.views["get_pricing"] = ["1000", "10", "1", "2"]
    code, out, _ = oracle(
        "cost", "--json", "--max-instructions", "3000000", "--max-seconds", "1", "--instructions", "1999999", "--time-ms", "7"
    )
    told = json.loads(out)
    assert (code, told["prices_of"]) == (0, "outlayer.test.near")
    assert told["deposit_yocto"] == str(1000 + 3 * 10 + 1000 * 1)
    assert told["charge_yocto"] == str(1000 + 1 * 10 + 7 * 1)


def test_compiling_is_charged_by_the_millisecond(node, settings, oracle):
    node.views["get_pricing"] = ["1000", "10", "1", "2"]
    assert json.loads(oracle("cost", "--json", "--compile-time-ms", "50")[1])["charge_yocto"] == str(1000 + 50 * 2)


def test_offline_the_prices_of_a_new_contract_count(settings, oracle):
    settings.setenv("NEAR_RPC_URL", "http://127.0.0.1:9")
    code, out, _ = oracle("cost", "--offline")
    assert code == 0
    assert "Deposit for 1,000,000,000 instructions and 60 s: 0.0070001 NEAR (7000100000000000000000 yoctoNEAR)" in out
    assert "Charge = base_fee + (instructions / 1,000,000) x" in out


def test_with_no_contract_set_it_says_whose_prices_it_shows(settings, oracle):
    for name in ChainSettings.model_fields:
        settings.delenv(name.upper(), raising=False)
    code, out, _ = oracle("cost")
    assert code == 0
    assert "set NEAR_NETWORK_ID and OFFCHAINVM_CONTRACT_ID" in out


def test_wrong_settings_are_not_taken_for_missing_ones(settings, oracle):
    settings.setenv("NEAR_NETWORK_ID", "betanet")
    code, _, err = oracle("cost")
    assert code == 2
    assert "NEAR_NETWORK_ID='betanet'" in err


def test_a_chain_that_cannot_be_asked_is_an_error_and_not_a_guess(settings, oracle):
    settings.setenv("NEAR_RPC_URL", "http://127.0.0.1:9")
    code, out, err = oracle("cost")
    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
