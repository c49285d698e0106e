"""`oracle verify`: what a bundle proves, check by check."""

import contextlib
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oracle.cli.evm import EVM_CHAIN_ID_HELP, EVM_RPC_HELP, evm_nodes, owner_checks
from oracle.cli.verdict import FILE, Moment, VerdictCommand, read_bounded, show, trusted

if TYPE_CHECKING:
    from oracle.flows.verify.check import Check
    from oracle.flows.verify.offline import Offline
    from oracle.flows.verify.terms import Terms

_HASH = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
"""Base58 of 32 bytes: one in a thousand has less than 43 digits."""
_MOST_REQUEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Target:
    """What was named: a file (`-` is standard input), a request's number or the hash of its transaction."""

    file: str | None = None
    request_id: int | None = None
    transaction: str | None = None


class _TargetType(click.ParamType[Target]):
    name = "BUNDLE|REQUEST_ID|TX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """A number is a request; a file of that name is written with its directory, as ./7."""
        if isinstance(value, Target):
            return value
        text = str(value)
        if text.isascii() and text.isdigit():
            if len(text) > len(str(_MOST_REQUEST_ID)) or int(text) > _MOST_REQUEST_ID:
                self.fail(f"{text[:40]} is no request's number: they end at {_MOST_REQUEST_ID}", param, ctx)
            return Target(request_id=int(text))
        if text == "-" or _names_a_file(Path(text)):
            return Target(file=text)
        if not _HASH.fullmatch(text):
            self.fail(f"{text[:200]!r} is no file, no request's number and no transaction's hash", param, ctx)
        return Target(transaction=text)


def _names_a_file(path: Path) -> bool:
    """A pipe is one too; what cannot be looked at, as a name that is too long, is none."""
    with contextlib.suppress(OSError):
        return path.exists() and not path.is_dir()
    return False


class _HashType(click.ParamType[str]):
    name = "HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Whether it may be the hash of a block."""
        text = str(value)
        if not _HASH.fullmatch(text):
            self.fail(f"{text[:200]!r} is no block's hash: 32 bytes in base58", param, ctx)
        return text


@click.command("verify", cls=VerdictCommand)
@click.argument("target", type=_TargetType())
@click.option("--policy", "policy_path", type=FILE, help="What you accept (TOML); no software without it, so nothing is proven.")
@click.option("--root-ca", "root_path", type=FILE, help="Root certificate to trust instead of Intel's (PEM or DER); all is a test then.")
@click.option("--at", "at_s", type=Moment(), help="Judge certificates and lists at this moment instead of the receipt's own.")
@click.option("--collateral", "collateral_path", type=FILE, help="Intel's collateral to use instead of the bundle's (dcap-qvl's JSON).")
@click.option("--rpc", "rpc_urls", multiple=True, metavar="URL", help="A NEAR node to ask; again for another. Default: NEAR_RPC_URL.")
@click.option("--evm-rpc", "evm_rpc_urls", multiple=True, metavar="URL", help=EVM_RPC_HELP)
@click.option("--evm-chain-id", type=click.IntRange(min=1), metavar="N", help=EVM_CHAIN_ID_HELP)
@click.option("--worker", "worker_url", metavar="URL", help="The worker's interface, for a bundle that is fetched. Default: API_LISTEN.")
@click.option("--contract", "contract_id", metavar="ID", help="The main contract that the receipt has to be of.")
@click.option("--request-tx", metavar="HASH", help="The request's transaction, where the receipt does not name it.")
@click.option("--answer-tx", metavar="HASH", help="The answer's transaction, where the bundle does not name it.")
@click.option("--trusted-block", type=_HashType(), help="Hash of a block you trust: what the bundle proves under it needs no node.")
@click.option("--save", "save_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the bundle with all that was learnt.")
@click.option("--force", is_flag=True, help="Let --save replace a file.")
@click.option("--offline", is_flag=True, help="Ask nobody, no EVM node either: the verdict is on the bundle, and on its proofs.")
@click.option("--explain", is_flag=True, help="Say of each check why it is made.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def command(
    *,
    target: Target,
    policy_path: Path | None,
    root_path: Path | None,
    at_s: int | None,
    collateral_path: Path | None,
    rpc_urls: tuple[str, ...],
    evm_rpc_urls: tuple[str, ...],
    evm_chain_id: int | None,
    worker_url: str | None,
    contract_id: str | None,
    request_tx: str | None,
    answer_tx: str | None,
    trusted_block: str | None,
    save_path: Path | None,
    force: bool,
    offline: bool,
    explain: bool,
    as_json: bool,
) -> int:
    """
    Verify what an execution's bundle proves.

    TARGET is a bundle's file (- for standard input), or the number or transaction of a request, whose bundle is fetched from the worker.
    Every check tells what it saw and what it expected; docs/verification.md has them by number. Exit code: 0 PROVEN, 1 FAILED, 3 UNPROVEN,
    64 wrong usage.

    --save asks the nodes for light-client proofs of the request, the answer and the end, and writes them with everything else into one
    file. Whoever trusts the block that they lead to checks them without any node.

    \b
    Examples:
      oracle verify bundle.json --policy policy.toml --offline
      oracle verify 7 --contract outlayer.near --policy policy.toml --rpc https://rpc.one.example --rpc https://rpc.two.example
      oracle verify 7 --contract outlayer.near --policy policy.toml --rpc https://rpc.one.example --save evidence.json
      oracle verify evidence.json --policy policy.toml --offline --trusted-block 7Yo1pTzHQkXnRbjN5HcYWq2kbdUQbFLvVU7K7zVxZQ3m
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from oracle.flows.verify.report import Report  # noqa: PLC0415  --help answers without
    from oracle.flows.verify.terms import Terms  # noqa: PLC0415

    policy, root = trusted(policy_path, root_path)
    collateral = None if collateral_path is None else _text_of(collateral_path)
    terms = Terms(policy, root, int(time.time()), at_s, collateral, target.request_id, contract_id, request_tx, trusted_block)
    evm = evm_nodes(evm_rpc_urls, evm_chain_id)
    saved = None
    if offline:
        if evm is not None:
            raise click.UsageError("--offline asks nobody, and --evm-rpc asks a node: leave one of them out")
        if target.file is None:
            raise click.UsageError("--offline needs a bundle's file; a request's bundle has to be fetched")
        if save_path is not None:
            raise click.UsageError("--save writes what nodes tell; with --offline nobody is asked")
        found = _of_file(target.file, terms)
        chain = None if trusted_block is None else _by_proof(found, terms)
    else:
        from oracle.cli.verify_online import Given, go_online  # noqa: PLC0415  whoever asks nobody needs no network

        _may_save(save_path, force=force)
        online = go_online(Given(rpc_urls, worker_url, contract_id, request_tx, answer_tx, saves=save_path is not None))
        if target.file is None:
            looked = online.look_at_fetched(target.request_id, target.transaction, replace(terms, contract_id=online.contract_id))
        else:
            looked = online.look(_of_file(target.file, terms), terms)
        found, chain = looked.found, looked.checks
        saved = None if save_path is None else looked.save(save_path, terms, replaces=force)
    owner = owner_checks(found.evidence, evm)
    report = Report(found.subject, found.checks, chain, root.sha256_hex, root.is_test, policy.sha256_hex, owner)
    return show(report, as_json=as_json, explain=explain, saved=saved)


def _of_file(name: str, terms: "Terms") -> "Offline":
    from oracle.flows.verify.offline import check_offline  # noqa: PLC0415  --help answers without
    from oracle.tee.bundle import MAX_BUNDLE_BYTES  # noqa: PLC0415

    return check_offline(read_bounded(Path(name), MAX_BUNDLE_BYTES), terms)


def _by_proof(found: "Offline", terms: "Terms") -> "tuple[Check, ...]":
    from oracle.flows.verify.agreement import check_chain  # noqa: PLC0415  --help answers without
    from oracle.flows.verify.onchain import OurCode  # noqa: PLC0415

    return check_chain(found.evidence, (), terms, OurCode(()))


def _may_save(path: Path | None, *, force: bool) -> None:
    """Before anybody is asked for anything."""
    from oracle.cli.new_file import may_replace  # noqa: PLC0415  --help answers without

    if path is None:
        if force:
            raise click.UsageError("--force says that --save may replace a file; name one with --save")
        return
    try:
        if path.exists() and not force:
            raise click.UsageError(f"{path} exists; name another file with --save, or add --force to replace it")
        if not path.parent.is_dir():
            raise click.UsageError(f"--save {path}: there is no directory {path.parent}")
        if not may_replace(path):
            raise click.UsageError(f"{path} is no plain file, and nothing else is replaced; name another one with --save")
    except OSError as error:
        raise click.UsageError(f"--save {path!s:.200}: {error.strerror or type(error).__name__}") from error


def _text_of(path: Path) -> str:
    from oracle.tee.collateral import MAX_COLLATERAL_BYTES  # noqa: PLC0415  --help answers without

    return read_bounded(path, MAX_COLLATERAL_BYTES).decode("utf-8", "replace")
