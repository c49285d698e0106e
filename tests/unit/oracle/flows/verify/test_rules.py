"""What the papers say of each check is what the code says."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from oracle.flows.verify.check import Verdict, failed, passed, unknown
from oracle.flows.verify.report import Overall, Report, Subject, deciding, verdict_of
from oracle.flows.verify.rules import FIRST_ON_CHAIN, RULES, THERE_IS_A_QUOTE, Group
from oracle.flows.verify.text import MAX_SHOWN_CHARS, TEST_ROOT_WARNING, report_json, report_lines

DOCS = Path(__file__).parents[5] / "docs" / "verification.md"
GOOD, BAD, OPEN = passed(1, "it", "it"), failed(2, "this", "that"), unknown(5, "nothing", "something", "bring it")


def test_the_paper_numbers_the_checks_as_the_code_does():
    told = re.findall(r"^\| (\d+) \| ([^|]+?) \|", DOCS.read_text(), re.MULTILINE)
    assert told == [(str(rule.number), rule.title) for rule in RULES]


def test_numbers_rise_and_tell_the_group():
    numbers = [rule.number for rule in RULES]
    assert numbers == sorted(set(numbers))
    assert all((rule.group is Group.CHAIN) == (rule.number >= FIRST_ON_CHAIN) for rule in RULES)


def test_each_check_is_explained_in_two_or_three_sentences():
    sentences = {rule.number: len(re.findall(r"\.(?= |$)", rule.why)) for rule in (*RULES, THERE_IS_A_QUOTE)}
    assert {number: count for number, count in sentences.items() if not 2 <= count <= 3} == {}


def test_one_contradiction_fails_whatever_else_is_open():
    assert verdict_of((GOOD, OPEN, BAD)) is Overall.FAILED
    assert deciding((GOOD, OPEN, BAD)) is BAD


def test_something_needed_that_is_open_leaves_it_unproven():
    assert verdict_of((GOOD, OPEN)) is Overall.UNPROVEN
    assert deciding((GOOD, OPEN)) is OPEN


def test_something_open_that_is_not_needed_changes_nothing():
    assert verdict_of((GOOD, unknown(14, "another", "one of two", is_needed=False))) is Overall.PROVEN


def test_no_check_at_all_proves_nothing():
    assert verdict_of(()) is Overall.UNPROVEN


CHAIN = (passed(21, "localnet", "localnet"),)


def report_of(*checks, chain=CHAIN, test_root=False):
    return Report(Subject(), checks, chain, "aa" * 32, test_root, "bb" * 32)


def test_the_groups_have_verdicts_of_their_own():
    report = report_of(GOOD, chain=(unknown(21, "no node", "two"),))
    assert (report.verdict_of(Group.OFFLINE), report.verdict_of(Group.CHAIN), report.verdict) == (
        Overall.PROVEN,
        Overall.UNPROVEN,
        Overall.UNPROVEN,
    )


def test_a_group_that_was_not_asked_about_has_no_verdict_and_does_not_count():
    report = report_of(GOOD, chain=None)
    assert (report.verdict_of(Group.CHAIN), report.verdict) == (None, Overall.PROVEN)
    assert report_json(report)["chain"] is None


def test_a_test_root_is_told_in_the_first_line_and_in_the_last_but_one_and_in_json():
    report = report_of(GOOD, test_root=True)
    lines = report_lines(report)
    assert lines[0] == TEST_ROOT_WARNING
    assert "under a test root" in lines[-1]
    assert (report_json(report)["test_root"], report_json(report)["warning"]) == (True, TEST_ROOT_WARNING)


def test_the_report_names_the_check_that_decided_and_what_to_do():
    text = "\n".join(report_lines(report_of(GOOD, OPEN)))
    assert "Decided by check 5" in text
    assert "To do: bring it" in text
    assert report_json(report_of(GOOD, OPEN))["decided_by"] == 5


def test_what_strangers_wrote_cannot_steer_a_terminal_or_fill_it():
    lines = report_lines(report_of(failed(2, "\x1b[2J\r\n" + "x" * 5_000, "y")))
    assert not any("\x1b" in line or "\r" in line or "\n" in line for line in lines)
    assert len("".join(lines)) < 4 * MAX_SHOWN_CHARS


def test_what_strangers_wrote_cannot_steer_a_terminal_through_json():
    subject = Subject(contract_id="\x9b2J\u202egnp", worker_id="\x7f" * 5_000)
    report = replace(report_of(unknown(28, "seen", "expected", "the owner of \x9b2J deletes it")), subject=subject)
    text = json.dumps(report_json(report), ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 4 * MAX_SHOWN_CHARS


def test_explaining_adds_the_reason_to_each_check():
    report = report_of(GOOD, OPEN)
    assert all(check["why"] for check in report_json(report, explain=True)["checks"])
    assert all("why" not in check for check in report_json(report)["checks"])
    assert len(report_lines(report, explain=True)) > len(report_lines(report))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_each_verdict_of_a_check_is_shown(verdict):
    check = {Verdict.PASS: GOOD, Verdict.FAIL: BAD, Verdict.UNKNOWN: OPEN}[verdict]
    assert any(verdict.value in line for line in report_lines(report_of(check)))
