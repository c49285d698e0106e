"""Secrets on chain: stored under an accessor, found again, replaced, deleted, each byte paid for and given back."""

import pytest

from localnet import NEAR
from tests.acceptance.contract.stage import OUTLAYER, SOURCE

REPO = {"Repo": {"repo": "https://GitHub.com/Owner/Name.git", "branch": None}}
CANONICAL = {"Repo": {"repo": "github.com/Owner/Name", "branch": None}}
BRANCH = {"Repo": {"repo": "github.com/Owner/Name", "branch": "main"}}
WASM = {"WasmHash": {"hash": "ab" * 32}}
BYTE_YOCTO = 10**19


def secrets(accessor=REPO, profile="main", sealed="c2VhbGVk", access="AllowAll", **more):
    return {"accessor": accessor, "profile": profile, "encrypted_secrets_base64": sealed, "access": access, **more}


def bytes_of_contract(stage):
    return stage.chain.account(OUTLAYER).storage_usage_bytes


@pytest.mark.exercises("store_secrets", "get_secrets", "secrets_exist", "estimate_storage_cost")
def test_secrets_cost_the_stake_of_their_bytes_as_estimated(stage):
    before = bytes_of_contract(stage)
    estimate = int(stage.view("estimate_storage_cost", owner="alice.test.near", **secrets()))
    needs = stage.refused("alice", "store_secrets", secrets(), deposit=estimate - 1)
    assert f"{estimate - 1} yoctoNEAR is attached and {estimate} is needed" in needs
    stage.call("alice", "store_secrets", secrets(), deposit=5 * NEAR)
    assert (bytes_of_contract(stage) - before) * BYTE_YOCTO == estimate
    found = stage.view("get_secrets", accessor=CANONICAL, profile="main", owner="alice.test.near")
    assert (found["encrypted_secrets"], found["access"], found["accessor"]) == ("c2VhbGVk", "AllowAll", CANONICAL)
    assert stage.view("secrets_exist", accessor=REPO, profile="main", owner="alice.test.near") is True
    assert stage.view("secrets_exist", accessor=REPO, profile="other", owner="alice.test.near") is False


@pytest.mark.exercises("delete_secrets")
def test_deleting_gives_every_byte_and_its_deposit_back(stage):
    bytes_before = bytes_of_contract(stage)
    stage.call("alice", "store_secrets", secrets(), deposit=NEAR)
    stage.call("alice", "store_secrets", secrets(profile="second"), deposit=NEAR)
    before = stage.account("alice").balance_yocto
    stage.call("alice", "delete_secrets", {"accessor": REPO, "profile": "main"})
    assert stage.account("alice").balance_yocto > before
    assert "no secrets of alice.test.near are stored" in stage.refused("alice", "delete_secrets", {"accessor": REPO, "profile": "main"})
    assert "no secrets of bob" in stage.refused("bob", "delete_secrets", {"accessor": REPO, "profile": "second"})
    stage.call("alice", "delete_secrets", {"accessor": REPO, "profile": "second"})
    assert bytes_of_contract(stage) == bytes_before


@pytest.mark.exercises("update_access")
def test_the_access_rule_can_be_replaced_for_a_deposit_of_the_difference(stage):
    stage.call("alice", "store_secrets", secrets(), deposit=NEAR)
    rule = {"Logic": {"operator": "Or", "conditions": [{"Whitelist": {"accounts": ["bob.test.near"]}}, {"Not": {"condition": "AllowAll"}}]}}
    args = {"accessor": REPO, "profile": "main", "new_access": rule}
    assert "as a deposit" in stage.refused("alice", "update_access", args)
    stage.call("alice", "update_access", args, deposit=NEAR // 10)
    assert stage.view("get_secrets", accessor=REPO, profile="main", owner="alice.test.near")["access"] == rule
    stage.call("alice", "update_access", args | {"new_access": "AllowAll"})


@pytest.mark.parametrize(
    "access",
    [
        "AllowAll",
        {"Whitelist": {"accounts": ["a.near", "b.near"]}},
        {"AccountPattern": {"pattern": ".*\\.near"}},
        {"NearBalance": {"operator": "Gte", "value": str(NEAR)}},
        {"FtBalance": {"contract": "ft.near", "operator": "Ne", "value": "7"}},
        {"NftOwned": {"contract": "nft.near", "token_id": None}},
        {"DaoMember": {"dao_contract": "dao.near", "role": "council"}},
        {"Logic": {"operator": "And", "conditions": ["AllowAll", {"Not": {"condition": "AllowAll"}}]}},
    ],
)
def test_every_access_rule_is_kept_as_it_was_given(stage, access):
    stage.call("alice", "store_secrets", secrets(access=access), deposit=NEAR)
    assert stage.view("get_secrets", accessor=REPO, profile="main", owner="alice.test.near")["access"] == access


def test_a_branch_falls_back_to_the_repository_without_one(stage):
    stage.call("alice", "store_secrets", secrets(sealed="Z2VuZXJhbA=="), deposit=NEAR)
    assert stage.view("get_secrets", accessor=BRANCH, profile="main", owner="alice.test.near")["encrypted_secrets"] == "Z2VuZXJhbA=="
    stage.call("alice", "store_secrets", secrets(BRANCH, sealed="b3du"), deposit=NEAR)
    assert stage.view("get_secrets", accessor=BRANCH, profile="main", owner="alice.test.near")["encrypted_secrets"] == "b3du"


def test_the_older_form_names_repository_and_branch(stage):
    older = secrets() | {"repo": "github.com/Owner/Name", "branch": "main"}
    assert "both given" in stage.refused("alice", "store_secrets", older, deposit=NEAR)
    stage.call("alice", "store_secrets", {name: value for name, value in older.items() if name != "accessor"}, deposit=NEAR)
    assert stage.view("secrets_exist", accessor=BRANCH, profile="main", owner="alice.test.near") is True


@pytest.mark.exercises("list_user_secrets", "list_profiles")
def test_secrets_are_listed_by_owner_and_by_accessor_without_what_is_sealed(stage):
    for accessor, profile in ((REPO, "a"), (REPO, "b"), (WASM, "a")):
        stage.call("alice", "store_secrets", secrets(accessor, profile), deposit=NEAR)
    stage.call("bob", "store_secrets", secrets(REPO, "c"), deposit=NEAR)
    listed = stage.view("list_user_secrets", account_id="alice.test.near")
    assert sorted((str(entry["accessor"]), entry["profile"]) for entry in listed) == sorted(
        [(str(CANONICAL), "a"), (str(CANONICAL), "b"), (str(WASM), "a")]
    )
    assert not any("encrypted" in name for entry in listed for name in entry)
    assert len(stage.view("list_user_secrets", account_id="alice.test.near", from_index=1, limit=1)) == 1
    assert sorted(stage.view("list_profiles", owner="alice.test.near", accessor=REPO)) == ["a", "b"]
    assert stage.view("list_profiles", owner="bob.test.near", accessor=WASM) == []


def test_secrets_of_a_project_need_the_project(stage):
    accessor = {"Project": {"project_id": "alice.test.near/game"}}
    assert "there is no project" in stage.refused("alice", "store_secrets", secrets(accessor), deposit=NEAR)
    stage.call("alice", "create_project", {"name": "game", "source": SOURCE}, deposit=NEAR)
    stage.call("alice", "store_secrets", secrets(accessor), deposit=NEAR)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"accessor": None}, "an accessor is needed"),
        ({"profile": "a/b"}, "is refused"),
        ({"sealed": ""}, "0 characters long"),
        ({"sealed": "A" * 32_772}, "32772 characters long"),
        ({"sealed": "not base64!"}, "is refused"),
        ({"accessor": {"WasmHash": {"hash": "12"}}}, "is refused"),
        ({"accessor": {"Repo": {"repo": "nowhere", "branch": None}}}, "is refused"),
        ({"access": {"Whitelist": {"accounts": []}}}, "lists no"),
        ({"access": {"Whitelist": {"accounts": [f"a{i}.near" for i in range(101)]}}}, "more than 100"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(stage, changes, reason):
    assert reason in stage.refused("alice", "store_secrets", secrets(**changes), deposit=5 * NEAR)
