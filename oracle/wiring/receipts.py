"""What a worker says of itself in every receipt, and where receipts get their key and their quotes."""

import platform
from dataclasses import replace
from importlib.metadata import version

import structlog

from oracle.errors import TeeError
from oracle.guest.engine import METERED, wasmtime_version
from oracle.model.receipt import ChainFacts, EngineFacts, WorkerFacts
from oracle.near import SigningKey
from oracle.ports import ChainIdentity, Clock
from oracle.settings import TeeSettings
from oracle.tee.bundle import Bundle
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.quoting import ReceiptQuotes
from oracle.wiring.tee import Machine, Trust

_log = structlog.get_logger()


def standing_of(settings: TeeSettings, trust: Trust, identity: ChainIdentity, key: SigningKey) -> Standing:
    """What all receipts of this process have in common."""
    root = trust.root if settings.is_attested else None
    return Standing(
        chain=ChainFacts(identity.chain_id, identity.genesis_hash, identity.contract_id),
        engine=EngineFacts(wasmtime_version(), METERED.sha256_hex, platform.machine()),
        worker=WorkerFacts(
            account_id=key.account_id,
            public_key=key.public_key,
            version=version("near-compute-oracle"),
            tee_mode=settings.tee_mode,
            root_sha256_hex=None if root is None else root.sha256_hex,
            is_test_root=root is not None and root.is_test,
        ),
        settings_sha256_hex=trust.security.sha256_hex,
        policy_sha256_hex=trust.policy.sha256_hex,
    )


def receipt_quotes(settings: TeeSettings, machine: Machine, clock: Clock) -> ReceiptQuotes:
    """Quotes of this machine for its receipts, with the collateral of their time."""
    return ReceiptQuotes(machine.socket, clock, batch_ms=settings.quote_batch_ms, collateral=machine.collateral)


class Completing:
    """Adds to a bundle what a verifier of its quote needs besides, as far as it can be had now: collateral, and the compose text."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._app_compose: str | None = None
        """Asked for once: it does not change while a machine runs, and strangers who fetch bundles must not keep its socket busy."""

    async def __call__(self, bundle: Bundle) -> Bundle:
        """The bundle with what was found; the same where it has no quote."""
        attestation = bundle.attestation
        if attestation is None:
            return bundle
        try:
            if attestation.collateral_json is None:  # there was none at hand then: today's has to do
                collateral = await self._machine.collateral.for_quote(attestation.quote.quote)
                attestation = replace(attestation, collateral_json=collateral.to_json())
            if self._app_compose is None:
                self._app_compose = (await self._machine.socket.info()).app_compose
            attestation = replace(attestation, app_compose=self._app_compose or None)
        except TeeError as error:
            _log.warning("bundle_not_complete", reason=str(error))
        return replace(bundle, attestation=attestation)


def receipt_maker(standing: Standing, key: SigningKey, clock: Clock, quotes: ReceiptQuotes | None = None) -> ReceiptMaker:
    """Receipts signed with the worker's key; `quotes`: None where nothing vouches for its software."""
    return ReceiptMaker(standing, key.sign, clock, quotes)
