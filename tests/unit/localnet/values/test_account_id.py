import pytest

from localnet.values import account_id as ids

# near-account-id 2.6, src/test_data.rs: OK_ACCOUNT_IDS and BAD_ACCOUNT_IDS.
GOOD = [
    "aa",
    "a-a",
    "a-aa",
    "100",
    "0o",
    "com",
    "near",
    "bowen",
    "b-o_w_e-n",
    "b.owen",
    "bro.wen",
    "a.ha",
    "a.b-a.ra",
    "system",
    "over.9000",
    "google.com",
    "illia.cheapaccounts.near",
    "0o0ooo00oo00o",
    "alex-skidanov",
    "10-4.8-2",
    "b-o_w_e-n",
    "no_lols",
    "0123456789012345678901234567890123456789012345678901234567890123",
    "near.a",
]
BAD = [
    "a",
    "A",
    "Abc",
    "-near",
    "near-",
    "-near-",
    "near.",
    ".near",
    "near@",
    "@near",
    "неар",
    "@@@@@",
    "0__0",
    "0_-_0",
    "..",
    "a..near",
    "nEar",
    "_bowen",
    "abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789012345678901234567890123456789012345678901234",
    "some-complex-address@gmail.com",
    "sub.buy_d1gitz@atata@b0-rg.c_0_m",
]
OURS_BAD = ["", "hello world", "near\n", "\nnear"]


@pytest.mark.parametrize("account_id", GOOD)
def test_a_good_id_is_taken(account_id):
    assert ids.check(account_id) == account_id


@pytest.mark.parametrize("account_id", BAD + OURS_BAD)
def test_a_bad_id_is_refused(account_id):
    with pytest.raises(ValueError, match="no account id"):
        ids.check(account_id)


def test_only_the_direct_parent_is_the_parent():
    assert ids.is_sub_account("a.b.near", "b.near")
    assert not ids.is_sub_account("a.b.near", "near")
    assert not ids.is_sub_account("near", "near")
    assert not ids.is_sub_account("xb.near", "b.near")


def test_implicit_ids_are_told_by_their_form():
    assert ids.is_near_implicit("98793cd91a3f870fb126f66285808c7e094afcfc4eda8a970f6648cdf0dbd6de")
    assert ids.is_eth_implicit("0xb794f5ea0ba39494ce839613fffba74279579268")
    assert ids.is_deterministic("0s1234567890abcdef1234567890abcdef12345678")
    # near-account-id 3.0, src/account_id_ref.rs: its tests of universal accounts.
    for universal in ("0u" + "0" * 52, "0u" + "z" * 51 + "g", "0u000g40r40m30e209185gr38e1w8124gk2gahc5rr34d1p70x3rfg"):
        assert ids.is_universal(universal)
        assert ids.is_implicit(universal)
    for other in ("0u" + "0" * 51 + "1", "0u" + "0" * 50 + "i0", "0u" + "0" * 51, "00u" + "0" * 51):
        assert not ids.is_universal(other)
    assert not ids.is_implicit("0x1234")
    assert not ids.is_implicit("98793cd91a3f870fb126f66285808c7e094afcfc4eda8a970f6648cdf0dbd6d.")


def test_the_system_is_no_top_level_account():
    assert ids.is_top_level("near")
    assert not ids.is_top_level("a.near")
    assert not ids.is_top_level("system")
