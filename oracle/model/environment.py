"""The environment a guest sees (PROTOCOL, "What a guest sees")."""

from oracle.model.request import Origin, Request

RESERVED_NAMES = (
    "NEAR_SENDER_ID",
    "NEAR_USER_ACCOUNT_ID",
    "NEAR_PREDECESSOR_ID",
    "NEAR_CONTRACT_ID",
    "NEAR_NETWORK_ID",
    "NEAR_REQUEST_ID",
    "NEAR_TRANSACTION_HASH",
    "NEAR_RECEIPT_ID",
    "NEAR_BLOCK_HEIGHT",
    "NEAR_BLOCK_TIMESTAMP",
    "NEAR_SIGNER_PUBLIC_KEY",
    "NEAR_GAS_BURNT",
    "NEAR_PAYMENT_YOCTO",
    "NEAR_MAX_INSTRUCTIONS",
    "NEAR_MAX_MEMORY_MB",
    "NEAR_MAX_EXECUTION_SECONDS",
    "ATTACHED_USD",
    "USD_PAYMENT",
    "OUTLAYER_EXECUTION_TYPE",
    "OUTLAYER_PROJECT_ID",
    "OUTLAYER_PROJECT_OWNER",
    "OUTLAYER_PROJECT_NAME",
    "OUTLAYER_PROJECT_UUID",
    "OUTLAYER_CALL_ID",
)
"""Names the system sets, in the order a guest finds them; a secret may not carry one of them."""


def guest_environment(request: Request, origin: Origin, *, contract_id: str, network_id: str) -> tuple[tuple[str, str], ...]:
    """
    Say what a guest of this request finds in its environment, in the order of `RESERVED_NAMES`.

    What is not known is an empty string; money that was not attached is "0". Heights and timestamps of 0 are unknown ones.
    No value holds a NUL, which would end it early: a project's uuid is free text of the caller's.
    """
    owner, slash, name = (request.project_id or "").partition("/")
    limits = request.limits
    values = (
        request.sender_id,
        request.sender_id,  # the account that asked and the one that pays differ only over HTTPS
        request.predecessor_id,
        contract_id,
        network_id,
        str(request.request_id),
        origin.transaction_hash,
        origin.receipt_id,
        _known(origin.block_height),
        _known(origin.block_timestamp_ns),
        origin.signer_public_key,
        _known(origin.gas_burnt),
        str(request.payment),
        "" if limits is None else str(limits.max_instructions),
        "" if limits is None else str(limits.max_memory_mb),
        "" if limits is None else str(limits.max_execution_seconds),
        request.attached_usd or "0",
        "0",
        "NEAR",
        request.project_id or "",
        owner if slash else "",
        name,
        request.project_uuid or "",
        "",
    )
    return tuple((name, value.replace("\0", "")) for name, value in zip(RESERVED_NAMES, values, strict=True))


def _known(number: int) -> str:
    return str(number) if number else ""
