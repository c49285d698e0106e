"""
Checks 21 to 29 by the word of one node. Several nodes are joined by `oracle.flows.verify.agreement`.

What contradicts the receipt fails; what cannot be seen, or could have been undone behind everybody's back, leaves it unproven.
"""

from dataclasses import dataclass, replace

from oracle.flows.verify.check import Check, failed, judged, passed, unknown
from oracle.flows.verify.facts import AnswerSeen, Missing, NodeFacts, RegisterSeen, RegistrationSeen, RequestSeen
from oracle.flows.verify.offline import Evidence
from oracle.flows.verify.reading import SHAPELESS, registration_seen
from oracle.flows.verify.settled import check_answer, check_settled
from oracle.flows.verify.terms import CLOCK_TOLERANCE_S, Terms
from oracle.model.receipt import Receipt, TeeMode
from oracle.tee.collateral import moment

NS = 10**9
ARCHIVE = "ask a node that keeps older blocks, with --rpc"


@dataclass(frozen=True, slots=True)
class OurCode:
    """sha256 of every build of the register contract that is taken for ours, hex."""

    register_sha256_hex: tuple[str, ...]


def check_facts(evidence: Evidence, facts: NodeFacts) -> tuple[Check, ...]:
    """Checks 22 to 25: request, answer and end, whoever says so."""
    receipt = evidence.receipt
    return (
        _request(receipt, facts.request),
        check_answer(evidence, facts.answer),
        check_settled(evidence, facts),
        _dates(receipt, facts.request, facts.answer),
    )


def check_node(evidence: Evidence, facts: NodeFacts, terms: Terms, code: OurCode) -> tuple[Check, ...]:
    """Hold what a node says against the receipt."""
    receipt = evidence.receipt
    return (
        _chain(receipt, facts),
        *check_facts(evidence, facts),
        _registration(evidence, facts.register),
        _register(receipt, facts.register, terms),
        _account(receipt, facts, code),
        _operator(receipt, facts.operator_id),
    )


def _chain(receipt: Receipt, facts: NodeFacts) -> Check:
    wanted = receipt.chain
    ok = (facts.chain_id, facts.genesis_hash) == (wanted.chain_id, wanted.genesis_hash)
    return judged(21, f"{facts.chain_id}, first block {facts.genesis_hash}", f"{wanted.chain_id}, first block {wanted.genesis_hash}", ok=ok)


def _request(receipt: Receipt, seen: RequestSeen | Missing) -> Check:
    asked = receipt.request
    expected = f"request {asked.request_id} of {asked.sender_id} through {asked.predecessor_id}, as the receipt tells it"
    if isinstance(seen, Missing):
        return _missing(22, seen, expected, "name the request's transaction with --request-tx, or " + ARCHIVE)
    differences = [f"{name} {found!s:.80}, and not {told!s:.80}" for name, found, told in _facts(receipt, seen) if found != told]
    if differences:
        return failed(22, "; ".join(differences), expected)
    where = f"in transaction {seen.transaction_hash}, block {seen.block.height}"
    if receipt.input_sha256_hex is None:
        return passed(22, f"told {where}; no guest ran to its end, so that the input does not matter", expected)
    if seen.input_sha256_hex is None:
        return unknown(22, f"told {where}, and not with which input", expected)
    return passed(22, f"told {where}, with the same input", expected)


def _facts(receipt: Receipt, seen: RequestSeen) -> list[tuple[str, object, object]]:
    """Name, what the chain says, what the receipt says."""
    asked, told = receipt.request, seen.request
    facts: list[tuple[str, object, object]] = [
        ("request id", told.request_id, asked.request_id),
        ("sender", told.sender_id, asked.sender_id),
        ("predecessor", told.predecessor_id, asked.predecessor_id),
        ("source", told.source, receipt.source),
        ("limits", told.limits, receipt.limits),
        ("payment", told.payment, asked.payment),
        ("response format", told.response_format, asked.response_format),
        ("compile only", not told.runs_guest, asked.compile_only),
    ]
    if asked.transaction_hash is not None:  # else the worker found the request in the state, and dates it by when it looked
        facts += [
            ("transaction", seen.transaction_hash, asked.transaction_hash),
            ("receipt id", seen.receipt_id, asked.receipt_id),
            ("block height", seen.block.height, asked.block_height),
            ("block time", seen.block.timestamp_ns, asked.block_timestamp_ns),
        ]
    if receipt.input_sha256_hex is not None and seen.input_sha256_hex is not None:
        facts.append(("input sha256", seen.input_sha256_hex, receipt.input_sha256_hex))
    return facts


def _dates(receipt: Receipt, request: RequestSeen | Missing, answer: AnswerSeen | Missing) -> Check:
    made_s = receipt.made_at_ns // NS
    expected = f"after the request's block and before the answer's, give or take {CLOCK_TOLERANCE_S // 60} minutes"
    if not isinstance(request, Missing) and made_s + CLOCK_TOLERANCE_S < request.block.timestamp_ns // NS:
        return failed(25, f"made {moment(made_s)}, asked {_moment(request.block.timestamp_ns)}", expected)
    if not isinstance(answer, Missing) and made_s - CLOCK_TOLERANCE_S > answer.block.timestamp_ns // NS:
        return failed(25, f"made {moment(made_s)}, answered {_moment(answer.block.timestamp_ns)}", expected)
    if isinstance(request, Missing) or isinstance(answer, Missing):
        return unknown(25, "the block of request or answer is not known", expected, "see checks 22 and 23")
    dates = f"asked {_moment(request.block.timestamp_ns)}, made {moment(made_s)}, answered {_moment(answer.block.timestamp_ns)}"
    return passed(25, dates, expected)


def _moment(time_ns: int) -> str:
    return moment(min(max(time_ns, 0) // NS, 2**33))


def _registration(evidence: Evidence, seen: RegisterSeen | Missing) -> Check:
    worker = evidence.receipt.worker
    expected = (
        f"{worker.public_key} registered at {worker.account_id} with the quote's measurements and the receipt's settings, not revoked"
    )
    if worker.tee_mode is TeeMode.NONE:
        return unknown(26, "a worker outside a TEE, which is not registered", expected)
    if isinstance(seen, Missing):
        return _missing(26, seen, expected, "see whether the worker's account has the register contract")
    if seen.is_revoked:
        return failed(26, "the key is revoked", expected)
    if seen.registration is None:
        return unknown(26, "the key is not registered (any more)", expected, ARCHIVE)
    return _entry(evidence, seen.registration, expected)


def _entry(evidence: Evidence, entry: RegistrationSeen, expected: str) -> Check:
    receipt = evidence.receipt
    quoted = None if evidence.quoted is None else evidence.quoted.measurements
    if quoted is None:
        return unknown(26, "the key is registered, and no verified quote says with what to compare it", expected, "see checks 5 and 6")
    differences = [
        f"{name} {found!s:.100}, and not {told!s:.100}"
        for name, found, told in (
            ("key", entry.public_key, receipt.worker.public_key),
            ("measurements", entry.measurements_hex, tuple(quoted.hex_fields().values())),
            ("settings", entry.settings_sha256_hex, receipt.settings_sha256_hex),
        )
        if found != told
    ]
    differences += _out_of_time(entry, receipt) + _not_as_recorded(evidence, entry)
    if differences:
        return failed(26, "; ".join(differences), expected)
    since, until = _moment(entry.registered_ns), _moment(entry.expires_ns)
    return passed(26, f"registered {since}, {entry.renewals} times renewed, good until {until}", expected)


def _out_of_time(entry: RegistrationSeen, receipt: Receipt) -> list[str]:
    """A renewal keeps the key and forgets when it first came."""
    made_ns, slack_ns = receipt.made_at_ns, CLOCK_TOLERANCE_S * NS
    if made_ns >= entry.expires_ns:
        return [f"the registration ended {_moment(entry.expires_ns)}, before the receipt was made"]
    if not entry.renewals and made_ns + slack_ns < entry.registered_ns:
        return [f"the registration began {_moment(entry.registered_ns)}, after the receipt was made"]
    return []


def _not_as_recorded(evidence: Evidence, entry: RegistrationSeen) -> list[str]:
    """What the bundle brings of it may be older, but not of another key or software, nor of the same time and otherwise."""
    record = evidence.bundle.chain
    if record is None or record.registration_json is None:
        return []
    try:
        told = registration_seen(record.registration_json.encode())
    except SHAPELESS:
        told = None
    if told is not None and told.registered_ns < entry.registered_ns:
        told = replace(
            entry, public_key=told.public_key, measurements_hex=told.measurements_hex, settings_sha256_hex=told.settings_sha256_hex
        )
    return [] if told == entry else ["the bundle recorded another registration of it"]


def _register(receipt: Receipt, seen: RegisterSeen | Missing, terms: Terms) -> Check:
    expected = f"root {terms.root.sha256_hex}, for {receipt.chain.contract_id}"
    if isinstance(seen, Missing):
        return _missing(27, seen, expected, "see whether the worker's account has the register contract")
    ok = (seen.root_sha256_hex, seen.contract_id) == (terms.root.sha256_hex, receipt.chain.contract_id)
    return judged(27, f"root {seen.root_sha256_hex}, for {seen.contract_id}", expected, ok=ok)


def _account(receipt: Receipt, facts: NodeFacts, code: OurCode) -> Check:
    seen, account = facts.operator, receipt.worker.account_id
    builds = " or ".join(code.register_sha256_hex) or "(no build is known here)"
    expected = (
        f"no key on {account} with full access, for itself, or for {receipt.chain.contract_id} that no worker has; code of sha256 {builds}"
    )
    if isinstance(seen, Missing):
        return unknown(28, seen.reason, expected, ARCHIVE)
    found = (
        f"{len(seen.full_access_keys)} full-access keys, {len(seen.own_keys)} for itself, {len(seen.stranger_keys)} that answer without "
        f"a registration; code of sha256 {seen.code_sha256_hex or 'none'}"
    )
    if seen.full_access_keys or seen.own_keys or seen.stranger_keys:
        return unknown(28, found, expected, f"the owner of {account} deletes all keys but the workers'")
    if seen.code_sha256_hex not in code.register_sha256_hex:
        return unknown(28, found, expected, "find out whose code it is, or ask the operator to deploy the published build")
    return passed(28, found, expected)


def _operator(receipt: Receipt, seen: str | Missing) -> Check:
    expected = f"{receipt.worker.account_id} is the operator of {receipt.chain.contract_id}"
    if isinstance(seen, Missing):
        return unknown(29, seen.reason, expected, ARCHIVE)
    if seen != receipt.worker.account_id:
        return unknown(29, f"{seen} is now", expected, "the contract's owner has named another operator; ask why")
    return passed(29, seen, expected)


def _missing(number: int, seen: Missing, expected: str, mend: str) -> Check:
    return failed(number, seen.reason, expected) if seen.is_denial else unknown(number, seen.reason, expected, mend)
