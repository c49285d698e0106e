"""What one node says of a request, its answer and the accounts behind it: read, and believed no more than the node."""

from dataclasses import dataclass, field

from oracle.model import Metrics, Request


@dataclass(frozen=True, slots=True)
class Missing:
    """The node does not tell. `is_denial`: it tells that there is no such thing; `is_gone`: that such things are kept for a while only."""

    reason: str
    is_denial: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """Where something happened."""

    height: int
    block_hash: str
    timestamp_ns: int


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """
    The contract's event of a request.

    `input_sha256_hex` is None where a long input was passed in a way that does not show whose it was. `completed` is what the contract's
    event says of the end, where the same transaction holds it.
    """

    request: Request
    transaction_hash: str
    receipt_id: str
    block: BlockSeen
    input_sha256_hex: str | None
    completed: "CompletedSeen | None" = None


@dataclass(frozen=True, slots=True)
class CompletedSeen:
    """
    The contract's event of a request's end.

    `heard`: what the call that logged it returned to the caller, as JSON. `used`: what was billed. None: not told.
    """

    success: bool
    error: str | None
    heard: bytes | None
    used: Metrics | None = None


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """A transaction with one function call; `failure` is why the call failed, where it did."""

    transaction_hash: str
    signer_id: str
    public_key: str
    receiver_id: str
    method: str
    args: bytes = field(repr=False)
    failure: str | None
    block: BlockSeen


@dataclass(frozen=True, slots=True)
class EndSeen:
    """What the contract keeps of a request's end (`get_outcome`); `json` is all of it, keys sorted."""

    success: bool
    status: str
    error: str | None
    metrics: Metrics
    receipt_sha256_hex: str | None
    json: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegistrationSeen:
    """A key's entry in the register contract; the five measurements in order, 96 hex digits each."""

    public_key: str
    measurements_hex: tuple[str, ...]
    settings_sha256_hex: str
    registered_ns: int
    expires_ns: int
    renewals: int


@dataclass(frozen=True, slots=True)
class RegisterSeen:
    """The register contract, asked about one key."""

    registration: RegistrationSeen | None
    is_revoked: bool
    root_sha256_hex: str
    contract_id: str


@dataclass(frozen=True, slots=True)
class OperatorSeen:
    """
    The account that answers; `code_sha256_hex` is None where it has no code.

    `own_keys`: keys that may call the account's own contract, whose private methods take every call of the account itself.
    `stranger_keys`: keys that may call the main contract and are none of the register contract's workers.
    """

    code_sha256_hex: str | None
    full_access_keys: tuple[str, ...]
    own_keys: tuple[str, ...]
    stranger_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """Everything one node was asked."""

    chain_id: str
    genesis_hash: str
    request: RequestSeen | Missing
    answer: AnswerSeen | Missing
    end: EndSeen | Missing
    operator_id: str | Missing
    register: RegisterSeen | Missing
    operator: OperatorSeen | Missing


@dataclass(frozen=True, slots=True)
class NodeWord:
    """A node by scheme, host and port, and what it says; Missing: it could not be asked at all."""

    place: str
    facts: NodeFacts | Missing
