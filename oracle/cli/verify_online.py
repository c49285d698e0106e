"""The part of `oracle verify` that asks others: where nodes and worker are, and what is asked of them."""

import asyncio
import re
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path

import click

from oracle.cli.environment import start_with
from oracle.cli.interface import InterfaceSettings
from oracle.cli.new_file import write_new
from oracle.cli.verdict import WrongFile
from oracle.errors import ConfigurationError
from oracle.flows.verify.agreement import check_chain
from oracle.flows.verify.check import Check, unknown
from oracle.flows.verify.facts import Missing, NodeWord
from oracle.flows.verify.fetch import NotFetched, fetch_bundle
from oracle.flows.verify.head import denying
from oracle.flows.verify.nodes import Question, ask_nodes, find_request
from oracle.flows.verify.offline import Evidence, Offline, check_offline
from oracle.flows.verify.onchain import OurCode
from oracle.flows.verify.proving import Gathered, Sought, gather_proofs
from oracle.flows.verify.report import Subject
from oracle.flows.verify.rules import RULES, Group
from oracle.flows.verify.saving import Saved, bundle_to_save, disputed, is_vouched, with_proofs, without_faults
from oracle.flows.verify.terms import Terms
from oracle.flows.verify.under import text_of
from oracle.logging import keep_secret
from oracle.near.proof import block_hash
from oracle.ports import SystemClock
from oracle.settings import ChainSettings
from oracle.settings.values import http_url
from oracle.tee.bundle import MAX_BUNDLE_BYTES

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Given:
    """What the options name."""

    rpc_urls: tuple[str, ...]
    worker_url: str | None
    contract_id: str | None
    request_transaction: str | None
    answer_transaction: str | None
    saves: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """The checks of both groups, and what nodes said and gave; `gathered` is None where nobody asked for proofs."""

    found: Offline
    checks: tuple[Check, ...]
    words: tuple[NodeWord, ...] = ()
    gathered: Gathered | None = None

    def save(self, path: Path, terms: Terms, *, replaces: bool) -> Saved:
        """
        Write the bundle with all that was learnt.

        Raises:
            WrongFile
        """
        evidence = self.found.evidence
        if evidence is None:
            return Saved(None, None, ())
        raw = bundle_to_save(evidence, self.words, terms, SystemClock().now_ns()).to_json().encode()
        if len(raw) > MAX_BUNDLE_BYTES:
            raise WrongFile(f"{path} is not saved: the bundle has {len(raw):,} bytes, and at most {MAX_BUNDLE_BYTES:,} are read")
        try:
            write_new(path, raw, replaces=replaces)
        except OSError as error:
            raise WrongFile(f"{path} is not saved: {error.strerror or type(error).__name__}") from error
        proofs = None if evidence.bundle.chain is None else evidence.bundle.chain.proofs
        missing = () if self.gathered is None else self.gathered.missing
        return Saved(str(path), proofs, missing, is_vouched(proofs, self.gathered, terms.trusted_block))


@dataclass(frozen=True, slots=True)
class Online:
    """Whom to ask. Without nodes the checks on chain stay open."""

    given: Given
    rpc_urls: tuple[str, ...]
    worker_url: str
    contract_id: str | None

    def look(self, found: Offline, terms: Terms, told_by_worker: str | None = None) -> Looked:
        """Ask all nodes, and judge what they say; `told_by_worker`: the answer's transaction."""
        return self._judge(found, self._ask(found, told_by_worker), terms, told_by_worker)

    def _judge(self, found: Offline, words: tuple[NodeWord, ...], terms: Terms, told_by_worker: str | None) -> Looked:
        gathered = None
        if self.given.saves and found.evidence is not None:
            gathered = self._gather(found.evidence, terms, told_by_worker)
            found = replace(found, evidence=with_proofs(found.evidence, gathered, terms.trusted_block))
        return Looked(found, check_chain(found.evidence, words, terms, our_code()), words, gathered)

    def _gather(self, evidence: Evidence, terms: Terms, told_by_worker: str | None) -> Gathered:
        receipt = evidence.receipt
        question = self._question(evidence, told_by_worker)
        sought = Sought(question, receipt.request.request_id, receipt.chain.genesis_hash, terms.trusted_block)
        gathered = asyncio.run(gather_proofs(self.rpc_urls, sought, SystemClock(), partial(without_faults, evidence)))
        if gathered.proofs is None or terms.trusted_block is not None:
            return gathered
        return disputed(gathered, asyncio.run(denying(self.rpc_urls, text_of(block_hash(gathered.proofs.head)), SystemClock())))

    def _ask(self, found: Offline, told_by_worker: str | None = None) -> tuple[NodeWord, ...]:
        """`told_by_worker`: the answer's transaction, where neither an option nor the bundle names it."""
        evidence = found.evidence
        if evidence is None or not self.rpc_urls:
            return ()
        return asyncio.run(ask_nodes(self.rpc_urls, self._question(evidence, told_by_worker), SystemClock()))

    def _question(self, evidence: Evidence, told_by_worker: str | None) -> Question:
        receipt, record = evidence.receipt, evidence.bundle.chain
        recorded = None if record is None else record.answer_transaction_hash
        return Question(
            contract_id=receipt.chain.contract_id,
            request_id=receipt.request.request_id,
            worker_id=receipt.worker.account_id,
            worker_key=receipt.worker.public_key,
            sender_id=receipt.request.sender_id,
            request_transaction=self.given.request_transaction or receipt.request.transaction_hash,
            answer_transaction=self.given.answer_transaction or recorded or told_by_worker,
        )

    def look_at_fetched(self, request_id: int | None, transaction: str | None, terms: Terms) -> Looked:
        """Fetch the bundle of a request, or of the first one of a transaction, and verify it; what could not be had is unproven."""
        online = self if transaction is None else replace(self, given=replace(self.given, request_transaction=transaction))
        try:
            number = self._request_of(transaction or "") if request_id is None else request_id
            asked_for = replace(terms, request_id=number, request_transaction=online.given.request_transaction)
            return online._fetched(number, asked_for)  # noqa: SLF001  the same class
        except NotFetched as reason:
            return Looked(not_had(str(reason)), check_chain(None, (), terms, our_code()))

    def _fetched(self, request_id: int, terms: Terms) -> Looked:
        """A worker that made a receipt anew has several; the chain tells which one was sent."""
        fetched = asyncio.run(fetch_bundle(self.worker_url, request_id))
        found = check_offline(fetched.raw, terms)
        words = self._ask(found, fetched.answer_transaction)
        sent = next((hash_hex for word in words if (hash_hex := _receipt_sent(word)) is not None), None)
        if found.evidence is not None and sent not in (None, found.evidence.bundle.receipt_sha256_hex):
            fetched = asyncio.run(fetch_bundle(self.worker_url, request_id, sent))
            found = check_offline(fetched.raw, terms)
            words = self._ask(found, fetched.answer_transaction)
        return self._judge(found, words, terms, fetched.answer_transaction)

    def _request_of(self, transaction: str) -> int:
        """The number of the first request that a transaction made; all nodes that know it have to name the same."""
        if self.contract_id is None or not self.rpc_urls:
            raise click.UsageError("a transaction is looked up on chain: name a node with --rpc and the contract with --contract")
        told = [asyncio.run(find_request(url, self.contract_id, transaction, SystemClock())) for url in self.rpc_urls]
        numbers = sorted({seen.request.request_id for seen in told if not isinstance(seen, Missing)})
        if len(numbers) > 1:
            raise NotFetched(f"nodes differ: the transaction {transaction} made request {' or '.join(map(str, numbers))}")
        if not numbers:
            raise NotFetched("; ".join(seen.reason for seen in told if isinstance(seen, Missing)))
        return numbers[0]


def _receipt_sent(word: NodeWord) -> str | None:
    """sha256 of the receipt that the contract was told of, by a node's word; 64 hex digits, for it goes into a URL."""
    if isinstance(word.facts, Missing) or isinstance(word.facts.end, Missing):
        return None
    told = word.facts.end.receipt_sha256_hex
    return told if isinstance(told, str) and _SHA256.fullmatch(told) else None


def go_online(given: Given) -> Online:
    """
    Options first, then the settings; what neither names is not asked.

    Raises:
        click.UsageError: a URL is none.
        ConfigurationError: settings are there and wrong.
    """
    worker_url = (given.worker_url or f"http://{start_with(InterfaceSettings).api_listen}").rstrip("/")
    try:
        for url in (*given.rpc_urls, worker_url):
            http_url(url)
    except ValueError as error:
        raise click.UsageError(f"--rpc or --worker: {error}") from None
    keep_secret(given.rpc_urls)
    settings = None if given.rpc_urls and given.contract_id else _settings()
    rpc_urls = given.rpc_urls or (() if settings is None else settings.rpc_urls)
    contract_id = given.contract_id or (None if settings is None else settings.offchainvm_contract_id)
    return Online(given, rpc_urls, worker_url, contract_id)


def _settings() -> ChainSettings | None:
    """None where nothing is set; wrong settings are not taken for missing ones."""
    try:
        return start_with(ChainSettings)
    except ConfigurationError as error:
        if all(" is not set" in problem for problem in error.problems):
            return None
        raise


def our_code() -> OurCode:
    """The builds of the register contract that come with this package."""
    sums = resources.files("localnet") / "contracts" / "SHA256SUMS"
    lines = (line.split() for line in sums.read_text().splitlines())
    return OurCode(tuple(words[0] for words in lines if len(words) == 2 and words[1].lstrip("*") == "register.wasm"))


def not_had(reason: str) -> Offline:
    """No bundle at all: nothing is proven and nothing contradicted."""
    first = unknown(1, reason, "a bundle", "name the worker's interface with --worker, or a bundle's file")
    numbers = (rule.number for rule in RULES if rule.group is Group.OFFLINE and rule.number > 1)
    return Offline((first, *(unknown(number, "not reached: there is no bundle", "a bundle") for number in numbers)), Subject(), None)
