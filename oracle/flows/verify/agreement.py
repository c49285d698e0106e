"""
What several nodes say, joined: a check holds when every node that answered says so, and nodes that differ leave it open.

A node that lies can keep anybody from PROVEN and nobody can keep it from that; it cannot bring PROVEN about, unless it is the only one and
the policy is content with one.
"""

from urllib.parse import urlsplit

from oracle.flows.verify.check import Check, Verdict, passed, unknown
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.onchain import OurCode, check_node
from oracle.flows.verify.rules import FIRST_ON_CHAIN, RULES
from oracle.flows.verify.terms import Terms

AGREEMENT = 30
NO_NODE = "name nodes with --rpc URL, twice for two of different operators"
_NUMBERS = tuple(rule.number for rule in RULES if FIRST_ON_CHAIN <= rule.number < AGREEMENT)


def check_chain(evidence: Evidence | None, words: tuple[NodeWord, ...], terms: Terms, code: OurCode) -> tuple[Check, ...]:
    """Checks 21 to 30."""
    if evidence is None:
        return tuple(unknown(number, "not reached: the bundle cannot be read", "a bundle") for number in (*_NUMBERS, AGREEMENT))
    heard = [(word.place, check_node(evidence, word.facts, terms, code)) for word in words if not isinstance(word.facts, Missing)]
    silent = [f"{word.place}: {word.facts.reason}" for word in words if isinstance(word.facts, Missing)]
    if not heard:
        reason = "; ".join(silent) or "no node was asked"
        return tuple(unknown(number, reason, "the word of a node", NO_NODE) for number in (*_NUMBERS, AGREEMENT))
    joined = tuple(_joined([(place, checks[index]) for place, checks in heard]) for index in range(len(_NUMBERS)))
    return (*joined, _agreement([place for place, _ in heard], silent, joined, two_nodes=terms.policy.two_nodes))


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
