"""Check 19: what nodes of an EVM chain say of the compose file that verified evidence names, and only of that."""

import sys
from dataclasses import replace

import pytest

from oracle.flows.verify.check import Verdict
from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.owner import EvmNodes, OwnerWord, Trouble, check_owner, verify_owner
from oracle.flows.verify.report import Overall, Report
from oracle.flows.verify.rules import Group
from oracle.flows.verify.text import report_json, report_lines
from oracle.model.receipt import ReceiptQuote
from oracle.tee.simulator import Simulator, SimulatorOptions
from tests.unit.oracle.flows.verify.good import Good, file_of
from tests.unit.oracle.tee.dstack_app import ALLOWED, BASE, NOT_ALLOWED, SECRET, node_that, recorded, saying

APP_ID, COMPOSE_HASH = "aa" * 20, "bb" * 32
YES, NO = OwnerWord("https://one.example/…", True), OwnerWord("https://two.example/…", False)
SILENT = OwnerWord("https://three.example", None, Trouble.SILENT, "https://three.example did not answer within 15 seconds")


@pytest.fixture(scope="module")
def good():
    return Good()


@pytest.fixture(scope="module")
def evidence(good):
    return check_offline(file_of(good.bundle()), good.terms()).evidence


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ((YES,), Verdict.PASS),
        ((NO,), Verdict.FAIL),
        ((YES, YES), Verdict.PASS),
        ((NO, NO), Verdict.FAIL),
        ((YES, NO), Verdict.UNKNOWN),
        ((SILENT,), Verdict.UNKNOWN),
        ((YES, SILENT), Verdict.UNKNOWN),
        ((NO, SILENT), Verdict.UNKNOWN),
    ],
)
def test_it_holds_when_every_node_that_was_named_says_so(words, verdict):
    check = check_owner(APP_ID, COMPOSE_HASH, words)
    assert (check.verdict, check.is_needed) == (verdict, True)
    assert all(word.place in check.seen for word in words)
    assert (APP_ID in check.expected, COMPOSE_HASH in check.expected) == (True, True)
    assert (check.mend is None) == (verdict is Verdict.PASS)


@pytest.mark.parametrize(
    ("answers", "verdict", "seen", "mend"),
    [
        (ALLOWED, Verdict.PASS, "says that it allows it", None),
        (NOT_ALLOWED, Verdict.FAIL, "says that it does not allow it", "owner"),
        ({"result": "0x"}, Verdict.UNKNOWN, "cannot be used", "another node"),
        (
            {"error": {"code": 3, "message": "execution reverted"}},
            Verdict.UNKNOWN,
            "is no DstackApp",
            "that the application's contract is on",
        ),
    ],
)
async def test_a_node_is_asked_about_the_application_of_the_event_log(evidence, answers, verdict, seen, mend):
    async with node_that(saying(answers)) as url:
        check = await verify_owner(evidence, EvmNodes((url,), 8453))
    assert check.verdict is verdict
    assert seen in check.seen
    assert (mend or "") in (check.mend or "")
    assert evidence.application.app_id in check.expected
    assert SECRET not in f"{check.seen} {check.expected} {check.mend}"


async def test_a_node_of_another_chain_tells_nothing(evidence):
    async with node_that(saying(ALLOWED)) as url:
        check = await verify_owner(evidence, EvmNodes((url,), 1))
    assert (check.verdict, "of chain 8453; chain 1 is expected" in check.seen) == (Verdict.UNKNOWN, True)


async def test_where_there_is_no_contract_nothing_is_told(evidence):
    async with node_that(recorded(eth_chainId=BASE, eth_getCode={"result": "0x"}, eth_call=NOT_ALLOWED)) as url:
        check = await verify_owner(evidence, EvmNodes((url,)))
    assert (check.verdict, "there is no contract at 0x" in check.seen) == (Verdict.UNKNOWN, True)
    assert "an app id that is no address has none" in check.mend


async def test_a_node_that_is_down_tells_nothing(evidence):
    check = await verify_owner(evidence, EvmNodes((f"http://127.0.0.1:9/{SECRET}",)))
    assert (check.verdict, check.mend, SECRET in check.seen) == (Verdict.UNKNOWN, "name another node with --evm-rpc", False)


async def test_without_the_extra_it_is_said_what_to_install(evidence, monkeypatch):
    monkeypatch.setitem(sys.modules, "web3", None)
    monkeypatch.delitem(sys.modules, "oracle.tee.evm_wire", raising=False)
    check = await verify_owner(evidence, EvmNodes(("http://127.0.0.1:9",)))
    assert (check.verdict, check.mend) == (Verdict.UNKNOWN, "pip install 'near-compute-oracle[evm]'")


def without_quote(good):
    return good.bundle(), {"attestation": None}


def with_another_log(good):
    attestation = good.bundle().attestation
    return good.bundle(), {"attestation": replace(attestation, quote=ReceiptQuote(attestation.quote.quote, "[]"))}


@pytest.mark.parametrize("spoil", [without_quote, with_another_log])
async def test_nobody_is_asked_about_an_application_that_nothing_vouches_for(good, spoil):
    asked = []

    async def handle(request):
        asked.append(await request.text())

    bundle, changes = spoil(good)
    evidence = check_offline(file_of(replace(bundle, **changes)), good.terms()).evidence
    async with node_that(handle) as url:
        check = await verify_owner(evidence, EvmNodes((url,)))
    assert (check.verdict, "not reached" in check.seen, asked) == (Verdict.UNKNOWN, True, [])


async def test_a_quote_under_a_root_that_is_not_trusted_names_no_application(good):
    stranger = Good(Simulator(SimulatorOptions(seed="a stranger's root")))
    found = check_offline(file_of(stranger.bundle()), good.terms())
    assert found.evidence.application is None
    assert (await verify_owner(found.evidence, EvmNodes(("http://127.0.0.1:9",)))).verdict is Verdict.UNKNOWN


async def test_a_bundle_that_cannot_be_read_names_no_application():
    assert (await verify_owner(None, EvmNodes(("http://127.0.0.1:9",)))).verdict is Verdict.UNKNOWN


def report_of(good, owner):
    found = check_offline(file_of(good.bundle()), good.terms())
    return Report(found.subject, found.checks, None, "aa" * 32, False, "bb" * 32, owner)


def test_nobody_asked_changes_no_verdict_and_shows_no_line(good):
    report = report_of(good, None)
    assert (report.verdict, report.verdict_of(Group.OWNER), report_json(report)["owner"]) == (Overall.PROVEN, None, None)
    assert not any("owner" in line for line in report_lines(report))


@pytest.mark.parametrize(
    ("words", "verdict", "decided"), [((YES,), Overall.PROVEN, None), ((NO,), Overall.FAILED, 19), ((SILENT,), Overall.UNPROVEN, 19)]
)
def test_what_was_asked_counts_and_is_a_group_of_its_own(good, words, verdict, decided):
    report = report_of(good, (check_owner(APP_ID, COMPOSE_HASH, words),))
    assert (report.verdict, report.verdict_of(Group.OFFLINE), report.verdict_of(Group.OWNER)) == (verdict, Overall.PROVEN, verdict)
    assert f"What the application's owner says: {verdict}" in report_lines(report)
    assert (report_json(report)["owner"], report_json(report)["decided_by"]) == (verdict, decided)
