"""What a worker says of itself in every receipt, and where receipts get their key and their quotes."""

import platform
from importlib.metadata import version

from oracle.guest.engine import METERED, wasmtime_version
from oracle.model.receipt import ChainFacts, EngineFacts, WorkerFacts
from oracle.near import SigningKey
from oracle.ports import ChainIdentity, Clock
from oracle.settings import TeeSettings
from oracle.tee.dstack import Dstack
from oracle.tee.making import ReceiptMaker, Standing
from oracle.tee.quoting import ReceiptQuotes
from oracle.wiring.tee import Trust


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


def receipt_quotes(settings: TeeSettings, socket: Dstack, clock: Clock) -> ReceiptQuotes:
    """Quotes of this machine for its receipts."""
    return ReceiptQuotes(socket, clock, batch_ms=settings.quote_batch_ms)


def receipt_maker(standing: Standing, key: SigningKey, clock: Clock, quotes: ReceiptQuotes | None = None) -> ReceiptMaker:
    """Receipts signed with the worker's key; `quotes`: None where nothing vouches for its software."""
    return ReceiptMaker(standing, key.sign, clock, quotes)
