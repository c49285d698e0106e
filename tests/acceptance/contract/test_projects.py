"""Projects: a name that stays while versions come and go, and that a request may point to."""

import pytest

from localnet import NEAR
from tests.acceptance.contract.stage import OUTLAYER, SOURCE, arguments

SECOND = {"GitHub": {"repo": "https://github.com/o/r", "commit": "c0ffee", "build_target": None}}
SECOND_KEY = "https://github.com/o/r@c0ffee"
FIRST_KEY = "ab" * 32
PROJECT_ID = "alice.test.near/game"


@pytest.fixture
def game(stage):
    """A project of alice's, with one version."""
    assert stage.call("alice", "create_project", {"name": "game", "source": SOURCE}, deposit=NEAR).json() == PROJECT_ID
    return stage


def source_of_next_request(stage, **version):
    stage.ask(source={"Project": {"project_id": PROJECT_ID, **version}})
    return stage.last_request


@pytest.mark.exercises("create_project", "get_project", "list_user_projects", "list_versions", "get_version")
def test_a_project_begins_with_one_active_version(game):
    project = game.view("get_project", project_id=PROJECT_ID)
    assert (project["project_id"], project["owner"], project["name"]) == (PROJECT_ID, "alice.test.near", "game")
    assert game.view("list_user_projects", account_id="alice.test.near") == [project]
    (version,) = game.view("list_versions", project_id=PROJECT_ID)
    assert (version["wasm_hash"], version["is_active"]) == (FIRST_KEY, True)
    assert game.view("get_version", project_id=PROJECT_ID, version_key=FIRST_KEY) == version
    assert game.view("get_version", project_id=PROJECT_ID, version_key="none") is None
    assert "exists already" in game.refused("alice", "create_project", {"name": "game", "source": SOURCE}, deposit=NEAR)


def test_a_request_of_a_project_runs_its_active_version_and_names_the_project(game):
    told = source_of_next_request(game)
    assert told["code_source"]["WasmUrl"]["hash"] == FIRST_KEY
    assert told["project_id"] == PROJECT_ID
    assert told["project_uuid"] == game.view("get_project", project_id=PROJECT_ID)["uuid"]


@pytest.mark.exercises("add_version", "set_active_version")
def test_versions_are_added_activated_and_pinned(game):
    assert game.call("alice", "add_version", {"project_name": "game", "source": SECOND}, deposit=NEAR).json() == SECOND_KEY
    assert "WasmUrl" in source_of_next_request(game)["code_source"]
    assert source_of_next_request(game, version_key=SECOND_KEY)["code_source"] == {"GitHub": SECOND["GitHub"]}
    game.call("alice", "set_active_version", {"project_name": "game", "version_key": SECOND_KEY})
    assert "GitHub" in source_of_next_request(game)["code_source"]
    assert [each["is_active"] for each in game.view("list_versions", project_id=PROJECT_ID)] == [False, True]
    assert "has no version 'x'" in game.refused("alice", "set_active_version", {"project_name": "game", "version_key": "x"})
    args = {"project_name": "game", "source": SECOND, "set_active": True}
    assert "already" in game.refused("alice", "add_version", args, deposit=NEAR)


@pytest.mark.exercises("remove_version")
def test_a_version_that_is_not_active_can_be_removed_for_its_deposit(game):
    before = game.chain.account(OUTLAYER).storage_usage_bytes
    game.call("alice", "add_version", {"project_name": "game", "source": SECOND, "set_active": True}, deposit=NEAR)
    args = {"project_name": "game", "version_key": SECOND_KEY}
    assert "is the active version" in game.refused("alice", "remove_version", args)
    game.call("alice", "set_active_version", {"project_name": "game", "version_key": FIRST_KEY})
    game.call("alice", "remove_version", args)
    assert game.chain.account(OUTLAYER).storage_usage_bytes == before


@pytest.mark.exercises("delete_project")
def test_a_deleted_project_leaves_no_byte(stage):
    before = stage.chain.account(OUTLAYER).storage_usage_bytes
    stage.call("alice", "create_project", {"name": "game", "source": SOURCE}, deposit=NEAR)
    stage.call("alice", "add_version", {"project_name": "game", "source": SECOND, "set_active": True}, deposit=NEAR)
    assert "there is no project" in stage.refused("bob", "delete_project", {"project_name": "game"})
    stage.call("alice", "delete_project", {"project_name": "game"})
    assert stage.chain.account(OUTLAYER).storage_usage_bytes == before
    assert stage.view("get_project", project_id=PROJECT_ID) is None


@pytest.mark.exercises("transfer_project")
def test_a_project_changes_hands_and_keeps_its_identity(game):
    uuid = game.view("get_project", project_id=PROJECT_ID)["uuid"]
    args = {"project_name": "game", "new_owner": "bob.test.near"}
    assert game.call("alice", "transfer_project", args, deposit=NEAR).json() == "bob.test.near/game"
    assert game.view("get_project", project_id=PROJECT_ID) is None
    assert game.view("get_project", project_id="bob.test.near/game")["uuid"] == uuid
    assert game.view("list_user_projects", account_id="alice.test.near") == []
    assert "there is no project" in game.refused("alice", "delete_project", {"project_name": "game"})
    game.call("bob", "delete_project", {"project_name": "game"})


@pytest.mark.parametrize("version", [{}, {"version_key": FIRST_KEY}])
def test_code_runs_under_nobodys_name_without_consent(game, version):
    game.call("alice", "transfer_project", {"project_name": "game", "new_owner": "bob.test.near"}, deposit=NEAR)
    source = {"Project": {"project_id": "bob.test.near/game", **version}}
    refusal = game.refused("alice", "request_execution", arguments(source=source), deposit=NEAR)
    assert "rests: its owner bob.test.near takes it over with set_active_version" in refusal
    game.call("bob", "set_active_version", {"project_name": "game", "version_key": FIRST_KEY})
    game.ask(source=source)
    assert game.last_request["code_source"]["WasmUrl"]["hash"] == FIRST_KEY


def test_a_name_that_would_not_fit_an_id_is_refused(stage):
    for name in ("", "a/b", "x" * 65):
        assert "is refused" in stage.refused("alice", "create_project", {"name": name, "source": SOURCE}, deposit=NEAR)
