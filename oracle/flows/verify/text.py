"""A report for people and for programs. What strangers wrote is shown without control characters and never at full length."""

import textwrap

from oracle.flows.verify.check import Check, Verdict
from oracle.flows.verify.report import Overall, Report
from oracle.flows.verify.rules import Group

TEST_ROOT_WARNING = "TEST ROOT: anybody may hold its key. What is proven here says nothing about any hardware."
MAX_SHOWN_CHARS = 600
_WIDTH = 110
_INDENT = " " * 9
_HEADS = {
    Group.OFFLINE: "What the bundle itself shows",
    Group.OWNER: "What the application's owner says",
    Group.CHAIN: "What the chain says",
}
_MEANINGS = {
    Overall.PROVEN: "every check that is needed holds",
    Overall.FAILED: "the evidence contradicts itself, or what you accept",
    Overall.UNPROVEN: "nothing is contradicted, and something needed could not be told",
}


def report_lines(report: Report, *, explain: bool = False, with_chain: bool = True) -> list[str]:
    """As lines of text; without the chain where that is no question at all, as of a quote alone, and the owner where nobody asked."""
    lines = [TEST_ROOT_WARNING, ""] if report.test_root else []
    heads = _HEADS if with_chain else _HEADS | {Group.OFFLINE: "What the quote itself shows"}
    for group in Group:
        checks = report.of(group)
        if checks is None and (group is Group.OWNER or not with_chain):
            continue
        if checks is None:
            lines += [f"{_HEADS[group]}: not asked (--offline)", ""]
            continue
        lines += [
            f"{heads[group]}: {report.verdict_of(group)}",
            *(line for check in checks for line in _check_lines(check, explain=explain)),
            "",
        ]
    decided, subject = report.decided_by, report.subject
    if subject.request_id is not None:  # a bundle names its own contract: whoever reads PROVEN has to see of what
        lines.append(shown(f"Request {subject.request_id} of {subject.contract_id}, answered by {subject.worker_id}"))
    lines.append(f"{report.verdict}: {_MEANINGS[report.verdict]}" + (" (under a test root)" if report.test_root else ""))
    if decided is not None:
        lines.append(f"Decided by check {decided.number}, {decided.rule.title[0].lower()}{decided.rule.title[1:]}: {shown(decided.seen)}")
        if decided.mend is not None:
            lines.append(f"To do: {shown(decided.mend)}")
    return lines


def report_json(report: Report, *, explain: bool = False) -> dict[str, object]:
    """The report for --json."""
    decided = report.decided_by
    return {
        "verdict": report.verdict.value,
        "offline": report.verdict_of(Group.OFFLINE),
        "owner": report.verdict_of(Group.OWNER),
        "chain": report.verdict_of(Group.CHAIN),
        "test_root": report.test_root,
        "warning": TEST_ROOT_WARNING if report.test_root else None,
        "decided_by": None if decided is None else decided.number,
        "receipt_sha256": report.subject.receipt_sha256_hex,
        "request_id": report.subject.request_id,
        "contract_id": _shown_or_none(report.subject.contract_id),
        "worker_id": _shown_or_none(report.subject.worker_id),
        "at_s": report.subject.at_s,
        "root_sha256": report.root_sha256_hex,
        "policy_sha256": report.policy_sha256_hex,
        "checks": [_check_json(check, explain=explain) for check in report.checks],
    }


def _check_lines(check: Check, *, explain: bool) -> list[str]:
    needed = "" if check.is_needed or check.verdict is not Verdict.UNKNOWN else " (not needed)"
    lines = [f"{check.number:>4} {check.verdict.value:<7}  {check.rule.title}{needed}"]
    lines += _wrapped("seen      ", check.seen)
    if check.verdict is not Verdict.PASS:
        lines += _wrapped("expected  ", check.expected)
        lines += [] if check.mend is None else _wrapped("to do     ", check.mend)
    return lines + (_wrapped("why       ", check.rule.why) if explain else [])


def _wrapped(label: str, text: str) -> list[str]:
    first, rest = _INDENT + label, _INDENT + " " * len(label)
    return textwrap.wrap(shown(text), _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _check_json(check: Check, *, explain: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "number": check.number,
        "group": check.rule.group.value,
        "title": check.rule.title,
        "verdict": check.verdict.value,
        "needed": check.is_needed,
        "seen": shown(check.seen),
        "expected": shown(check.expected),
        "mend": _shown_or_none(check.mend),
    }
    return told | {"why": check.rule.why} if explain else told


def shown(text: str) -> str:
    """What strangers wrote, fit for a terminal: control characters could move a terminal's cursor over what stands there."""
    clean = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text[: MAX_SHOWN_CHARS + 1])
    return clean if len(clean) <= MAX_SHOWN_CHARS else clean[:MAX_SHOWN_CHARS] + "…"


def _shown_or_none(text: str | None) -> str | None:
    return None if text is None else shown(text)
