"""`oracle verify --save` and `--trusted-block` as people call them: one file, written whole, that proves without any node."""

import json
import os
import stat

import pytest

from localnet.rpc import dispatch
from localnet.server import ServerThread
from localnet.values.hashes import hash_to_text
from oracle.settings import ChainSettings
from tests.acceptance.verify.chain_stage import MAIN, ChainStage
from tests.integration.oracle.cli.test_verify import WorkerInterface
from tests.unit.oracle.flows.verify.good import file_of

PROVEN, FAILED, UNPROVEN, USAGE = 0, 1, 3, 64
BY_PROOF = [21, 22, 23, 24, 25, 31]


@pytest.fixture(scope="module")
def answered():
    """A chain on which a worker has answered, and its node."""
    stage = ChainStage()
    with ServerThread(stage.chain) as node:
        yield stage, node.rpc_url


@pytest.fixture
def verify(oracle, settings, tmp_path, answered):
    """Runs in a directory with the worker's bundle, a policy and the root."""
    stage, _ = answered
    for name in ChainSettings.model_fields:
        settings.delenv(name.upper(), raising=False)
    names = ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3")
    registers = "\n".join(f'{name} = "{value}"' for name, value in zip(names, stage.good.measurements_hex, strict=True))
    (tmp_path / "here" / "policy.toml").write_text(f"[chain]\ntwo_nodes = false\n[[measurements]]\n{registers}\n")
    (tmp_path / "here" / "root.der").write_bytes(stage.good.root.der)
    (tmp_path / "here" / "bundle.json").write_bytes(file_of(stage.bundle()))

    def run(*arguments):
        return oracle("verify", *arguments, "--policy", "policy.toml", "--root-ca", "root.der")

    return run


@pytest.fixture
def saved(verify, answered, tmp_path):
    """A file that was saved, its path, and the block that its evidence leads to."""
    code, out, _ = verify("bundle.json", "--rpc", answered[1], "--save", "saved.json", "--json")
    told = json.loads(out)["saved"]
    assert (code, told["file"], told["missing"]) == (PROVEN, "saved.json", []), out
    return tmp_path / "here" / "saved.json", told["head"]


def passed(told):
    return [check["number"] for check in told["checks"] if check["group"] == "chain" and check["verdict"] == "PASS"]


def test_what_was_saved_is_proven_offline_as_before_and_on_chain_under_the_trusted_block(verify, saved):
    assert verify("saved.json", "--offline")[0] == PROVEN
    code, out, _ = verify("saved.json", "--offline", "--trusted-block", saved[1], "--json")
    told = json.loads(out)
    assert (code, told["offline"], told["chain"], told["decided_by"]) == (UNPROVEN, "PROVEN", "UNPROVEN", 26)
    assert passed(told) == BY_PROOF
    assert "checks 26 to 30 need nodes" in next(check["seen"] for check in told["checks"] if check["number"] == 26)


def test_with_a_node_for_what_is_state_everything_is_proven_and_the_rest_rests_on_no_node(verify, saved, answered):
    code, out, _ = verify("saved.json", "--rpc", answered[1], "--trusted-block", saved[1], "--json")
    told = json.loads(out)
    assert (code, told["verdict"]) == (PROVEN, "PROVEN"), out
    seen = {check["number"]: check["seen"] for check in told["checks"]}
    assert all("(proven under the trusted block)" in seen[number] for number in range(21, 26))


def test_a_node_that_is_down_takes_nothing_from_what_is_proven(verify, saved):
    _, out, _ = verify("saved.json", "--rpc", "http://127.0.0.1:9", "--trusted-block", saved[1], "--json")
    assert passed(json.loads(out)) == BY_PROOF


def test_the_saved_file_has_collateral_input_output_record_and_proofs(saved, answered):
    stage, _ = answered
    told = json.loads(saved[0].read_text())
    assert told["attestation"]["collateral"] is not None
    assert told["attestation"]["app_compose"] == stage.good.simulator.machine.options.compose.text
    assert (told["input_base64"], told["output_base64"]) == ("aGVsbG8=", "SEVMTE8=")
    chain = told["chain"]
    assert chain["answer_transaction_hash"] == hash_to_text(stage.answered.hash)
    assert json.loads(stage.view(MAIN, "get_outcome", request_id=0)) == chain["outcome"]
    assert chain["registration"]["public_key"] == stage.good.public_key
    assert [len(chain["proofs"][name]) for name in ("request", "answer", "blocks")] == [2, 2, 1]
    assert chain["proofs"]["request_transaction_base64"] is None
    assert len(saved[0].read_bytes()) < 200_000


def test_people_are_told_what_was_saved_and_under_which_block(verify, answered):
    code, out, _ = verify("bundle.json", "--rpc", answered[1], "--save", "saved.json")
    assert code == PROVEN
    assert "Saved saved.json: 5 outcomes and 1 block under block " in out
    assert "Not in it" not in out


def test_a_fetched_request_and_a_transaction_are_saved_too(verify, answered):
    stage, rpc_url = answered
    bundle = json.loads(stage.bundle().to_json()) | {"chain": None}
    transactions = [{"kind": "answer", "transaction_hash": hash_to_text(stage.answered.hash), "nonce": 1}]
    told = {"attestations_0": json.dumps(bundle).encode(), "requests_0": json.dumps({"transactions": transactions}).encode()}
    with WorkerInterface(**told) as worker:
        for target, name in (("0", "by-number.json"), (hash_to_text(stage.asked.hash), "by-transaction.json")):
            ask = (target, "--worker", worker.url, "--rpc", rpc_url, "--contract", MAIN, "--save", name, "--json")
            code, out, _ = verify(*ask)
            saved = json.loads(out)["saved"]
            assert (code, saved["missing"]) == (PROVEN, [])
            code, out, _ = verify(name, "--offline", "--trusted-block", saved["head"], "--json")
            assert passed(json.loads(out)) == BY_PROOF


def test_the_evidence_leads_to_the_block_that_is_named_when_saving(verify, saved, answered):
    stage, rpc_url = answered
    head = hash_to_text(stage.chain.head.hash)
    code, out, _ = verify("bundle.json", "--rpc", rpc_url, "--save", "named.json", "--trusted-block", head, "--json")
    told = json.loads(out)
    assert (code, told["saved"]["head"]) == (PROVEN, head)
    assert 31 in passed(told)


def test_another_trusted_block_than_the_one_it_was_saved_under_is_told_with_the_mend(verify, saved, answered):
    stage, _ = answered
    earlier = hash_to_text(stage.answered.receipt_outcomes[0].block_hash)
    code, out, _ = verify("saved.json", "--offline", "--trusted-block", earlier)
    assert code == UNPROVEN
    flat = " ".join(out.split())
    assert f"the proofs lead to another block, {saved[1]}" in flat
    assert f"--trusted-block {earlier}" in flat


def spoil(path, change, name="spoilt.json"):
    document = json.loads(path.read_text())
    change(document["chain"]["proofs"])
    (path.parent / name).write_text(json.dumps(document))
    return name


def test_a_changed_outcome_fails(verify, saved):
    def other_logs(proofs):
        outcome = proofs["request"][-1]["outcome_proof"]["outcome"]
        outcome["logs"] = [log.replace("hello", "other") for log in outcome["logs"]]

    code, out, _ = verify(spoil(saved[0], other_logs), "--offline", "--trusted-block", saved[1])
    assert code == FAILED
    assert "Decided by check 31" in out
    assert "outcome 1 of the request: the path of the outcome does not lead to its block" in " ".join(out.split())


def test_a_lying_head_is_not_the_trusted_one(verify, saved):
    spoilt = spoil(saved[0], lambda proofs: proofs["head"]["inner_lite"].update(block_merkle_root="1" * 32))
    code, out, _ = verify(spoilt, "--offline", "--trusted-block", saved[1], "--json")
    assert (code, passed(json.loads(out))) == (UNPROVEN, [])


def test_nodes_without_proofs_make_the_saved_file_say_what_is_missing(verify, answered, monkeypatch, tmp_path):
    _, rpc_url = answered
    kept = {name: method for name, method in dispatch.METHODS.items() if "light_client" not in name}
    monkeypatch.setattr(dispatch, "METHODS", kept)
    code, out, _ = verify("bundle.json", "--rpc", rpc_url, "--save", "saved.json")
    assert code == PROVEN
    assert "Saved saved.json: without proofs of the chain" in out
    assert "Not in it: a head: " in out
    assert json.loads((tmp_path / "here" / "saved.json").read_text())["chain"]["proofs"] is None
    assert verify("saved.json", "--rpc", rpc_url)[0] == PROVEN


def test_what_a_bundle_brings_stays_only_where_nodes_give_less_and_names_no_head(verify, saved, answered, monkeypatch):
    _, rpc_url = answered
    padded = spoil(saved[0], lambda proofs: proofs.update(blocks=proofs["blocks"] * 8))
    _, out, _ = verify(padded, "--rpc", rpc_url, "--save", "again.json", "--json")
    assert json.loads(out)["saved"]["head"] is not None
    assert len(json.loads((saved[0].parent / "again.json").read_text())["chain"]["proofs"]["blocks"]) == 1
    monkeypatch.setattr(dispatch, "METHODS", {name: method for name, method in dispatch.METHODS.items() if "light_client" not in name})
    _, out, _ = verify(padded, "--rpc", rpc_url, "--save", "kept.json", "--json")
    assert json.loads(out)["saved"]["head"] is None
    assert len(json.loads((saved[0].parent / "kept.json").read_text())["chain"]["proofs"]["blocks"]) == 8
    _, out, _ = verify(padded, "--rpc", rpc_url, "--save", "named.json", "--trusted-block", saved[1], "--json")
    assert json.loads(out)["saved"]["head"] == saved[1]


def test_a_head_that_one_node_names_and_another_does_not_know_is_not_told_as_one_to_trust(verify, saved, answered):
    """The first node's chain could be its own invention; one that does not answer denies nothing."""
    with ServerThread(ChainStage(input_text="another chain").chain) as other:
        nodes = ("--rpc", answered[1], "--rpc", other.rpc_url)
        _, out, _ = verify("bundle.json", *nodes, "--save", "disputed.json", "--json")
        _, named, _ = verify("bundle.json", *nodes, "--save", "named.json", "--trusted-block", saved[1], "--json")
    told = json.loads(out)["saved"]
    assert (told["head"], len(told["missing"])) == (None, 1)
    assert f"{other.rpc_url} knows no such block" in told["missing"][0]
    assert json.loads(named)["saved"]["head"] == saved[1]
    _, out, _ = verify("bundle.json", "--rpc", answered[1], "--rpc", "http://127.0.0.1:9", "--save", "alone.json", "--json")
    assert json.loads(out)["saved"]["head"] is not None


def test_without_any_node_the_file_is_written_all_the_same_with_the_collateral_that_was_brought(verify, tmp_path):
    here = tmp_path / "here"
    document = json.loads((here / "bundle.json").read_text())
    (here / "collateral.json").write_text(json.dumps(document["attestation"]["collateral"]))
    document["attestation"]["collateral"] = None
    (here / "bare.json").write_text(json.dumps(document))
    code, out, _ = verify("bare.json", "--collateral", "collateral.json", "--save", "saved.json")
    assert code == UNPROVEN
    assert "Not in it: no node was asked" in out
    assert (verify("bare.json", "--offline")[0], verify("saved.json", "--offline")[0]) == (UNPROVEN, PROVEN)


def test_no_file_is_replaced_unless_told_so(verify, answered, tmp_path):
    (tmp_path / "here" / "mine.json").write_text("mine")
    arguments = ("bundle.json", "--rpc", answered[1], "--save", "mine.json")
    code, out, err = verify(*arguments)
    assert (code, out) == (USAGE, "")
    assert "mine.json exists; name another file with --save, or add --force" in err
    assert (tmp_path / "here" / "mine.json").read_text() == "mine"
    assert verify(*arguments, "--force")[0] == PROVEN
    assert verify("mine.json", "--offline")[0] == PROVEN


def test_a_pipe_is_not_replaced_even_when_told_so(verify, answered, tmp_path):
    os.mkfifo(tmp_path / "here" / "pipe")
    code, out, err = verify("bundle.json", "--rpc", answered[1], "--save", "pipe", "--force")
    assert (code, out) == (USAGE, "")
    assert "pipe is no plain file" in err


def test_the_file_is_whole_as_readable_as_others_and_alone(saved):
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(saved[0].stat().st_mode) == 0o666 & ~mask
    assert [path.name for path in saved[0].parent.iterdir() if "saved" in path.name] == ["saved.json"]


def test_a_bundle_that_cannot_be_read_is_not_saved(verify, answered, tmp_path):
    (tmp_path / "here" / "broken.json").write_text("{}")
    code, out, _ = verify("broken.json", "--rpc", answered[1], "--save", "saved.json")
    assert code == FAILED
    assert "Nothing was saved: there is no bundle that can be read" in out
    assert not (tmp_path / "here" / "saved.json").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--offline", "--save", "x.json"), "with --offline nobody is asked"),
        (("--force",), "name one with --save"),
        (("--save", "nowhere/x.json"), "there is no directory nowhere"),
        (("--save", "bundle.json/x.json", "--force"), "there is no directory bundle.json"),
        (("--save", "x" * 300), "File name too long"),
        (("--offline", "--trusted-block", "0x12"), "is no block's hash"),
    ],
)
def test_options_that_do_not_fit_are_wrong_usage(verify, arguments, reason):
    code, out, err = verify("bundle.json", *arguments)
    assert (code, out) == (USAGE, "")
    assert reason in err
