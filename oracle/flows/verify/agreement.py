"""
What several nodes say, joined: a check holds when every node that answered says so, and nodes that differ leave it open.

A node that lies can keep anybody from PROVEN and nobody can keep it from that; it cannot bring PROVEN about, unless it is the only one and
the policy is content with one.

What a bundle proves under a trusted block is held beside it: a proof decides, and nodes that deny what it shows leave it open.
"""

from dataclasses import replace
from urllib.parse import urlsplit

from oracle.flows.verify.check import Check, Verdict, passed, unknown
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.onchain import OurCode, check_node
from oracle.flows.verify.proven import STATE, checks_by_proof
from oracle.flows.verify.rules import FIRST_ON_CHAIN, RULES
from oracle.flows.verify.settled import WITHOUT_HASH
from oracle.flows.verify.terms import Terms
from oracle.flows.verify.under import UNDER_BLOCK, check_under_block

AGREEMENT = 30
NOT_ASKED = "no node was asked"
NO_NODE = "name nodes with --rpc URL, twice for two of different operators"
_NUMBERS = tuple(rule.number for rule in RULES if FIRST_ON_CHAIN <= rule.number < AGREEMENT)
_FIRST_OF_STATE = 26


def check_chain(evidence: Evidence | None, words: tuple[NodeWord, ...], terms: Terms, code: OurCode) -> tuple[Check, ...]:
    """Checks 21 to 31."""
    if evidence is None:
        numbers = (*_NUMBERS, AGREEMENT, UNDER_BLOCK)
        return tuple(unknown(number, "not reached: the bundle cannot be read", "a bundle") for number in numbers)
    under = check_under_block(evidence, terms.trusted_block)
    proven = checks_by_proof(evidence, terms) if under.verdict is Verdict.PASS else {}
    by_nodes = _by_nodes(evidence, words, terms, code)
    return (*(_with_proof(check, proven.get(check.number), is_proven=bool(proven)) for check in by_nodes), under)


def _by_nodes(evidence: Evidence, words: tuple[NodeWord, ...], terms: Terms, code: OurCode) -> tuple[Check, ...]:
    heard = [(word.place, check_node(evidence, word.facts, terms, code)) for word in words if not isinstance(word.facts, Missing)]
    silent = [f"{word.place}: {word.facts.reason}" for word in words if isinstance(word.facts, Missing)]
    if not heard:
        reason = "; ".join(silent) or NOT_ASKED
        return tuple(unknown(number, reason, "the word of a node", NO_NODE) for number in (*_NUMBERS, AGREEMENT))
    joined = tuple(_joined([(place, checks[index]) for place, checks in heard]) for index in range(len(_NUMBERS)))
    return (*joined, _agreement([place for place, _ in heard], silent, joined, two_nodes=terms.policy.two_nodes))


def _with_proof(told: Check, proven: Check | None, *, is_proven: bool) -> Check:
    """What nodes told of one number, and what proofs show of it; None: they cannot show it."""
    if proven is None:
        is_state = is_proven and told.seen == NOT_ASKED and _FIRST_OF_STATE <= told.number < AGREEMENT
        return replace(told, seen=f"{NOT_ASKED}; {STATE}: checks 26 to 30 need nodes") if is_state else told
    if proven.verdict is Verdict.UNKNOWN:
        return proven if told.seen == NOT_ASKED else told
    if proven.verdict is Verdict.FAIL or not _denies(told):
        return proven
    mend = "a node lies, or what the bundle recorded was changed; ask others"
    return unknown(told.number, f"{proven.seen}; nodes deny it: {told.seen}", proven.expected, mend)


def _denies(told: Check) -> bool:
    """Which of two answers that say the same was taken the contract's record alone tells, and one without a hash was not this receipt's."""
    return told.verdict is Verdict.FAIL or (told.verdict is Verdict.UNKNOWN and told.seen.endswith(WITHOUT_HASH))


def _joined(said: list[tuple[str, Check]]) -> Check:
    """Of one number, by every node."""
    _, first = said[0]
    if all(check.verdict is first.verdict for _, check in said):
        return first
    seen = "; ".join(f"{place} says {check.verdict}: {check.seen}" for place, check in said)
    return unknown(first.number, f"nodes differ: {seen}", first.expected, "one of them lies or lags; ask others")


def _agreement(places: list[str], silent: list[str], joined: tuple[Check, ...], *, two_nodes: bool) -> Check:
    hosts = {(urlsplit(place).hostname or "").rstrip(".") for place in places}
    seen = "; ".join([f"asked {', '.join(places)}", *(f"no answer of {trouble}" for trouble in silent)])
    differing = [check.number for check in joined if check.verdict is Verdict.UNKNOWN and check.seen.startswith("nodes differ: ")]
    if differing:
        numbers = ", ".join(map(str, differing))
        return unknown(AGREEMENT, f"{seen}; they differ in {numbers}", "nodes that say the same", "one of them lies or lags; ask others")
    if not two_nodes:
        return passed(AGREEMENT, seen, "one node is enough by the policy")
    if len(hosts) < 2:
        return unknown(AGREEMENT, seen, "two nodes of different hosts, as the policy asks", NO_NODE)
    return passed(AGREEMENT, f"{seen}; they say the same", "two nodes of different hosts that say the same")
