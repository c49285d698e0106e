"""What a receipt says of one execution. How it is written, hashed and signed: `oracle.tee.receipt`."""

from dataclasses import dataclass, field
from enum import StrEnum

from oracle.model.answer import OutputFormat
from oracle.model.limits import Limits
from oracle.model.metrics import Metrics
from oracle.model.money import YoctoNear
from oracle.model.source import Source
from oracle.model.toolchain import Toolchain


class TeeMode(StrEnum):
    """What vouches for the worker's software: nothing, or quotes of Intel TDX."""

    NONE = "none"
    TDX = "tdx"


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Whose request it is: the chain by its name and first block, and the contract on it."""

    chain_id: str
    genesis_hash: str
    contract_id: str


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """
    The request as the contract wrote it, and where it was seen.

    None: not known, because the request was found by asking the contract and not in a block.
    """

    request_id: int
    sender_id: str
    predecessor_id: str
    transaction_hash: str | None
    receipt_id: str | None
    block_height: int | None
    block_timestamp_ns: int | None
    payment: YoctoNear
    response_format: OutputFormat
    compile_only: bool


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What ran the module: wasmtime's version, the digest of the table of settings, and the CPU architecture."""

    wasmtime: str
    settings_sha256_hex: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the contract was told: the output by length and sha256, or the sentence that says why there is none."""

    success: bool
    output_sha256_hex: str | None = None
    output_length: int | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        if self.success == (self.error is not None):
            raise ValueError("an outcome has an error if and only if it is a failure")
        if (self.output_sha256_hex is None) != (self.output_length is None) or (self.output_length is not None and not self.success):
            raise ValueError("an outcome has length and sha256 of its output, or neither; a failure has neither")


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """
    Who says so.

    `public_key` has the prefix `ed25519:`. `root_sha256_hex`: of the root certificate trusted for quotes; None without a TEE.
    `is_test_root`: quotes prove nothing to others, for anybody may hold that root's key.
    """

    account_id: str
    public_key: str
    version: str
    tee_mode: TeeMode = TeeMode.NONE
    root_sha256_hex: str | None = None
    is_test_root: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    One execution: what was asked, what ran, what came of it, and who says so. Hashes are sha256, 64 hex digits in lower case.

    `toolchain` is None where nobody here built the module; `input_sha256_hex` and `environment_sha256_hex` where no guest ran to its end;
    `limits` for compile only. `settings_sha256_hex` is the digest of the security settings in force, which cover the policy;
    `policy_sha256_hex` that of the policy alone.
    """

    chain: ChainFacts
    request: RequestFacts
    source: Source
    toolchain: Toolchain | None
    wasm_sha256_hex: str | None
    input_sha256_hex: str | None
    environment_sha256_hex: str | None
    limits: Limits | None
    engine: EngineFacts
    outcome: Outcome
    metrics: Metrics
    worker: WorkerFacts
    settings_sha256_hex: str
    policy_sha256_hex: str
    made_at_ns: int


@dataclass(frozen=True, slots=True)
class BatchProof:
    """Where a receipt stands among those that share a quote (RFC 6962): hashes of the siblings on its way to the root, 32 bytes each."""

    tree_size: int
    leaf_index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReceiptQuote:
    """
    A quote that covers a receipt, alone or (`batch`) with others, and the event log of its machine as the socket gave it.

    `collateral_json`: Intel's word on the platform as it was then, in dcap-qvl's JSON; later collateral says nothing of that moment.
    """

    quote: bytes
    event_log: str
    batch: BatchProof | None = None
    collateral_json: str | None = None


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """
    A receipt's exact bytes, who signed them, and in TEE mode the quote.

    `public_key` has the prefix `ed25519:`; `signature` is 64 bytes. `output`: what the receipt holds by sha256, as the guest wrote it;
    None where it holds none, or where the store has it with the job already.
    """

    request_id: int
    receipt: bytes
    receipt_sha256_hex: str
    public_key: str
    signature: bytes
    quote: ReceiptQuote | None = None
    output: bytes | None = field(default=None, repr=False)
