"""
A contract with one export for each way a host function can be used or misused, and the calls of them.

What a node answers is recorded by `record.py`.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from host_imports import IMPORTS

TYPES = {"I": "i64", "i": "i32"}
REGISTER = -1
HUGE = 1 << 63


class Data:
    """Constants in the contract's memory, one after another."""

    def __init__(self) -> None:
        self.bytes = bytearray(64)

    def put(self, value: bytes) -> tuple[int, int]:
        """(length, pointer) of a constant, in the order host functions take them."""
        pointer = len(self.bytes)
        self.bytes += value
        return len(value), pointer


DATA = Data()
ALICE = DATA.put(b"alice.testnet")
HOST = DATA.put(b"host.testnet")
BOB = DATA.put(b"bob.testnet")
BAD_ACCOUNT = DATA.put(b"Not-An-Account..")
IMPLICIT = DATA.put(b"ab" * 32)
ETH = DATA.put(b"0x" + b"12" * 20)
DETERMINISTIC = DATA.put(b"0s" + b"12" * 20)
UNIVERSAL = DATA.put(b"0u" + b"1z" * 25 + b"hg")
NO_UNIVERSAL = DATA.put(b"0u" + b"1z" * 25 + b"hh")
METHOD = DATA.put(b"do_it")
ARGS = DATA.put(b'{"a":1}')
EMPTY = (0, ARGS[1])
AMOUNT = DATA.put((10**24).to_bytes(16, "little"))[1]
NOTHING = DATA.put(bytes(16))[1]
ONE = DATA.put((1).to_bytes(16, "little"))[1]
RICHES = DATA.put((10**30).to_bytes(16, "little"))[1]
KEY = DATA.put(b"\0" + bytes(range(32)))
BAD_KEY = DATA.put(b"\5" + bytes(range(32)))
SHORT_KEY = DATA.put(b"\0" + bytes(range(31)))
METHODS = DATA.put(b"a,b,cc")
EMPTY_METHODS = DATA.put(b"a,,b")
BAD_UTF8 = DATA.put(b"ok\xff\xfe")
TEXT = DATA.put("h\u00e9llo \u4e16\u754c".encode())
NUL_TEXT = DATA.put(b"until nul\0and not this")
UTF16 = DATA.put("h\u00e9llo \U0001f600".encode("utf-16-le") + b"\0\0")
LONE_SURROGATE = DATA.put(b"\x00\xd8a\x00")
PAYLOAD = DATA.put(b"payload" * 4)
ASSEMBLY_TEXT = DATA.put(b"\x08\0\0\0" + "oh!?".encode("utf-16-le"))
ASSEMBLY_FILE = DATA.put(b"\x06\0\0\0" + "f.t".encode("utf-16-le"))
PAIR = DATA.put((0).to_bytes(8, "little") + (1).to_bytes(8, "little"))

SIGNER = Ed25519PrivateKey.from_private_bytes(b"localnet vm vectors, ed25519 key")
MESSAGE = DATA.put(b"message to sign")
SIGNATURE = DATA.put(SIGNER.sign(b"message to sign"))
BROKEN_SIGNATURE = DATA.put(b"\1" + SIGNER.sign(b"message to sign")[1:])
HIGH_SIGNATURE = DATA.put(SIGNER.sign(b"message to sign")[:-1] + b"\xff")
PUBLIC = DATA.put(SIGNER.public_key().public_bytes_raw())
NO_POINT = DATA.put(b"\2" + b"\xff" * 31)

P256 = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
DIGEST_BYTES = hashlib.sha256(b"message to sign").digest()
R, S = decode_dss_signature(P256.sign(DIGEST_BYTES, ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True)))
DIGEST = DATA.put(DIGEST_BYTES)
P256_SIGNATURE = DATA.put(R.to_bytes(32) + S.to_bytes(32))
P256_ZERO = DATA.put(bytes(32) + S.to_bytes(32))
P256_KEY = DATA.put(P256.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
SCRATCH = 8192


def operand(value: object, kind: str) -> str:
    """A constant, or text that already is an expression."""
    return value if isinstance(value, str) else f"({TYPES[kind]}.const {value})"


def call(name: str, *arguments: object) -> str:
    """A call of a host function; its arguments may be calls."""
    params, _ = IMPORTS[name]
    flat = [part for argument in arguments for part in (argument if isinstance(argument, tuple) else (argument,))]
    assert len(flat) == len(params), (name, flat)
    return f"(call ${name} " + " ".join(operand(value, kind) for value, kind in zip(flat, params, strict=True)) + ")"


def do(name: str, *arguments: object) -> str:
    """A call whose result is dropped."""
    text = call(name, *arguments)
    return f"(drop {text})" if IMPORTS[name][1] else text


def tell(name: str, *arguments: object) -> str:
    """A call whose result the contract returns."""
    store = "i64.store" if IMPORTS[name][1] == "I" else "i32.store"
    return f"({store} (i32.const {SCRATCH}) {call(name, *arguments)}) " + do("value_return", 8, SCRATCH)


def show(register: int) -> str:
    """Return a register."""
    return do("value_return", REGISTER, register)


def batch(account: tuple[int, int], *actions: str) -> str:
    """Promise 0 to an account, with actions."""
    return do("promise_batch_create", account) + " ".join(actions)


def action(name: str, *arguments: object) -> str:
    """An action of promise 0."""
    return do(f"promise_batch_action_{name}", 0, *arguments)


CALLED = (METHOD, ARGS, AMOUNT, 10**13)
FREE = (METHOD, ARGS, NOTHING, 10**13)

CASES = {
    # registers and memory
    "register_unset": do("read_register", 7, SCRATCH),
    "register_len_unset": tell("register_len", 7),
    "register_round": do("write_register", 7, *TEXT) + do("read_register", 7, SCRATCH) + do("value_return", TEXT[0], SCRATCH),
    "register_len_set": do("write_register", 7, *TEXT) + tell("register_len", 7),
    "register_101": " ".join(do("write_register", number, *ARGS) for number in range(101)),
    "read_outside": do("log_utf8", 5, (2048 << 16) - 2),
    "read_huge": do("value_return", HUGE, 5),
    "read_far": do("value_return", 5, HUGE),
    "write_outside": do("write_register", 1, *TEXT) + do("read_register", 1, (2048 << 16) - 2),
    "grown_memory": "(drop (memory.grow (i32.const 1024)))" + do("value_return", 4, (2048 << 16) - 4),
    "grown_too_far": "(i32.store (i32.const 8192) (memory.grow (i32.const 1025)))" + do("value_return", 8, SCRATCH),
    # context
    **{name: do(name, 3) + show(3) for name in ("current_account_id", "chain_id", "signer_account_id", "signer_account_pk")},
    **{name: do(name, 3) + show(3) for name in ("predecessor_account_id", "refund_to_account_id", "input", "random_seed")},
    **{name: tell(name) for name in ("block_index", "block_timestamp", "epoch_height", "storage_usage", "prepaid_gas", "used_gas")},
    **{
        name: do(name, SCRATCH) + do("value_return", 16, SCRATCH)
        for name in ("account_balance", "account_locked_balance", "attached_deposit", "validator_total_stake")
    },
    "current_contract_code": do("current_contract_code", 3) + show(3),
    "validator_stake": do("validator_stake", ALICE, SCRATCH) + do("value_return", 16, SCRATCH),
    "gas": do("gas", 1000),
    "balance_outside": do("account_balance", (2048 << 16) - 8),
    # hashes and signatures
    **{name: do(name, MESSAGE, 3) + show(3) for name in ("sha256", "sha3_256", "sha3_384", "sha3_512")},
    "sha256_register": do("write_register", 1, *MESSAGE) + do("sha256", REGISTER, 1, 3) + show(3),
    "sha256_huge": do("sha256", HUGE, 0, 3),
    "ed25519_good": tell("ed25519_verify", SIGNATURE, MESSAGE, PUBLIC),
    "ed25519_broken": tell("ed25519_verify", BROKEN_SIGNATURE, MESSAGE, PUBLIC),
    "ed25519_high_bits": tell("ed25519_verify", HIGH_SIGNATURE, MESSAGE, PUBLIC),
    "ed25519_no_point": tell("ed25519_verify", SIGNATURE, MESSAGE, NO_POINT),
    "ed25519_short_signature": tell("ed25519_verify", MESSAGE, MESSAGE, PUBLIC),
    "ed25519_short_key": tell("ed25519_verify", SIGNATURE, MESSAGE, MESSAGE),
    "p256_good": tell("p256_verify", P256_SIGNATURE, DIGEST, P256_KEY),
    "p256_other_digest": tell("p256_verify", P256_SIGNATURE, (32, 0), P256_KEY),
    "p256_long_digest": tell("p256_verify", P256_SIGNATURE, (40, DIGEST[1]), P256_KEY),
    "p256_short_digest": tell("p256_verify", P256_SIGNATURE, (15, DIGEST[1]), P256_KEY),
    "p256_zero_r": tell("p256_verify", P256_ZERO, DIGEST, P256_KEY),
    "p256_short_signature": tell("p256_verify", MESSAGE, DIGEST, P256_KEY),
    "p256_short_key": tell("p256_verify", P256_SIGNATURE, DIGEST, MESSAGE),
    "p256_no_point": tell("p256_verify", P256_SIGNATURE, DIGEST, KEY),
    # output
    "return_nothing": "",
    "return_text": do("value_return", TEXT),
    "return_twice": do("value_return", TEXT) + do("value_return", ARGS),
    "return_too_long": do("value_return", 4194305, 0),
    "panic": do("panic"),
    "panic_text": do("panic_utf8", TEXT),
    "panic_bad_utf8": do("panic_utf8", BAD_UTF8),
    "panic_nul": do("panic_utf8", REGISTER, NUL_TEXT[1]),
    "log": do("log_utf8", TEXT) + do("log_utf8", ARGS),
    "log_nul": do("log_utf8", REGISTER, NUL_TEXT[1]),
    "log_nul_endless": "(memory.fill (i32.const 16384) (i32.const 97) (i32.const 20000))"
    + do("log_utf8", REGISTER, 16384),
    "log_bad_utf8": do("log_utf8", BAD_UTF8),
    "log_utf16": do("log_utf16", 16, UTF16[1]),
    "log_utf16_nul": do("log_utf16", REGISTER, UTF16[1]),
    "log_utf16_odd": do("log_utf16", 5, UTF16[1]),
    "log_utf16_surrogate": do("log_utf16", LONE_SURROGATE),
    "log_utf16_long": do("log_utf16", 16386, 20000),
    "log_101": " ".join(do("log_utf8", 1, ARGS[1]) for _ in range(101)),
    "log_full": " ".join(do("log_utf8", 4096, 20000) for _ in range(4)),
    "log_over": " ".join(do("log_utf8", 4096, 20000) for _ in range(4)) + do("log_utf8", 1, 20000),
    "log_too_long": do("log_utf8", 16385, 20000),
    "log_nearly_full": do("log_utf8", 16380, 20000) + do("log_utf16", 4, UTF16[1]),
    "log_utf16_grows": do("log_utf8", 16380, 20000) + do("log_utf16", 4, UTF16[1] + 2),
    "panic_after_full_log": do("log_utf8", 16384, 20000) + do("panic_utf8", ARGS),
    "abort": do("abort", ASSEMBLY_TEXT[1] + 4, ASSEMBLY_FILE[1] + 4, 12, 34),
    "abort_low": do("abort", 3, ASSEMBLY_FILE[1] + 4, 12, 34),
    # storage
    "store": tell("storage_write", ARGS, TEXT, 3),
    "store_again": tell("storage_write", ARGS, PAYLOAD, 3),
    "store_evicts": do("storage_write", ARGS, TEXT, 3) + show(3),
    "load": do("storage_read", ARGS, 3) + show(3),
    "load_missing": tell("storage_read", TEXT, 3),
    "has": tell("storage_has_key", ARGS),
    "has_not": tell("storage_has_key", TEXT),
    "remove": tell("storage_remove", ARGS, 3),
    "remove_missing": tell("storage_remove", ARGS, 3),
    "store_and_remove": do("storage_write", METHOD, TEXT, 3) + tell("storage_remove", METHOD, 3),
    "store_read_own": do("storage_write", METHOD, TEXT, 3) + do("storage_read", METHOD, 4) + show(4),
    "store_then_panic": do("storage_write", TEXT, TEXT, 3) + do("panic"),
    "store_large": do("storage_write", PAYLOAD, 4001, 0, 3) + tell("storage_read", PAYLOAD, 3),
    "store_4000": do("storage_write", PAYLOAD, 4000, 0, 3) + tell("storage_read", PAYLOAD, 3),
    "long_key": tell("storage_write", 2049, 0, TEXT, 3),
    "long_key_read": tell("storage_read", 2049, 0, 3),
    "longest_key": tell("storage_write", 2048, 0, TEXT, 3),
    "long_value": tell("storage_write", ARGS, 4194305, 0, 3),
    "usage_after": do("storage_write", METHOD, PAYLOAD, 3) + tell("storage_usage"),
    "iter_prefix": do("storage_iter_prefix", ARGS),
    "iter_range": do("storage_iter_range", ARGS, ARGS),
    "iter_next": do("storage_iter_next", 1, 2, 3),
    # promises
    "create": do("promise_create", ALICE, *CALLED),
    "create_own": do("promise_create", HOST, *CALLED),
    "create_then": do("promise_create", ALICE, *CALLED) + do("promise_then", 0, BOB, *FREE),
    "create_return": do("promise_create", ALICE, *CALLED) + do("promise_return", 0),
    "joint": do("promise_create", ALICE, *CALLED) + do("promise_create", HOST, *FREE) + do("promise_and", PAIR[1], 2)
    + do("promise_batch_then", 2, HOST) + do("promise_return", 3),
    "joint_action": do("promise_create", ALICE, *CALLED) + do("promise_create", BOB, *FREE) + do("promise_and", PAIR[1], 2)
    + do("promise_batch_action_create_account", 2),
    "joint_return": do("promise_create", ALICE, *CALLED) + do("promise_create", BOB, *FREE) + do("promise_and", PAIR[1], 2)
    + do("promise_return", 2),
    "joint_refund": do("promise_create", ALICE, *CALLED) + do("promise_create", BOB, *FREE) + do("promise_and", PAIR[1], 2)
    + do("promise_set_refund_to", 2, BOB),
    "and_missing": do("promise_and", PAIR[1], 2),
    "and_huge": do("promise_and", 0, HUGE),
    "and_none": do("promise_and", 0, 0) + do("promise_batch_then", 0, BOB),
    "then_missing": do("promise_batch_then", 5, BOB),
    "return_missing": do("promise_return", 5),
    "refund_to": batch(ALICE, action("transfer", AMOUNT)) + do("promise_set_refund_to", 0, BOB),
    "bad_account": do("promise_batch_create", BAD_ACCOUNT),
    "account_bad_utf8": do("promise_batch_create", BAD_UTF8),
    "action_missing": action("create_account"),
    "create_account": batch(ALICE, action("create_account"), action("transfer", AMOUNT)),
    "transfer_own": batch(HOST, action("transfer", AMOUNT)),
    "transfer_implicit": batch(IMPLICIT, action("transfer", AMOUNT)),
    "transfer_eth": batch(ETH, action("transfer", AMOUNT)),
    "transfer_deterministic": batch(DETERMINISTIC, action("transfer", AMOUNT)),
    "transfer_universal": batch(UNIVERSAL, action("transfer", AMOUNT)),
    "transfer_no_universal": batch(NO_UNIVERSAL, action("transfer", AMOUNT)),
    "transfer_too_much": batch(ALICE, action("transfer", RICHES)),
    "deploy": batch(ALICE, action("deploy_contract", TEXT)),
    "deploy_own": batch(HOST, action("deploy_contract", TEXT)),
    "deploy_too_large": batch(ALICE, action("deploy_contract", 4194305, 0)),
    "call_weight": batch(ALICE, action("function_call_weight", METHOD, ARGS, NOTHING, 0, 1)),
    "call_weights": batch(ALICE, action("function_call_weight", METHOD, ARGS, NOTHING, 10**12, 1))
    + do("promise_batch_create", BOB) + do("promise_batch_action_function_call_weight", 1, METHOD, ARGS, NOTHING, 0, 3)
    + do("promise_batch_action_function_call_weight", 1, METHOD, ARGS, NOTHING, 0, 3),
    "call_no_name": batch(ALICE, action("function_call", EMPTY, ARGS, NOTHING, 0)),
    "call_bad_name": batch(ALICE, action("function_call", BAD_UTF8, ARGS, NOTHING, 0)),
    "call_all_gas": batch(ALICE, action("function_call", METHOD, ARGS, NOTHING, 300 * 10**12)),
    "call_most_gas": batch(ALICE, action("function_call", METHOD, ARGS, NOTHING, HUGE)),
    "call_no_money": batch(ALICE, action("function_call", METHOD, ARGS, RICHES, 0)),
    "call_one_yocto": batch(ALICE, action("function_call", METHOD, ARGS, ONE, 0)),
    "stake": batch(HOST, action("stake", AMOUNT, KEY)),
    "stake_bad_key": batch(HOST, action("stake", AMOUNT, BAD_KEY)),
    "add_key": batch(HOST, action("add_key_with_full_access", KEY, 5)),
    "add_key_short": batch(HOST, action("add_key_with_full_access", SHORT_KEY, 5)),
    "add_call_key": batch(HOST, action("add_key_with_function_call", KEY, 5, AMOUNT, BOB, METHODS)),
    "add_call_key_free": batch(ALICE, action("add_key_with_function_call", KEY, 5, NOTHING, BOB, EMPTY)),
    "add_call_key_empty_name": batch(HOST, action("add_key_with_function_call", KEY, 5, NOTHING, BOB, EMPTY_METHODS)),
    "add_call_key_bad_name": batch(HOST, action("add_key_with_function_call", KEY, 5, NOTHING, BOB, BAD_UTF8)),
    "add_call_key_bad_key": batch(HOST, action("add_key_with_function_call", BAD_KEY, 5, NOTHING, BOB, BAD_UTF8)),
    "delete_key": batch(HOST, action("delete_key", KEY)),
    "delete_key_bad": batch(HOST, action("delete_key", BAD_KEY)),
    "delete_account": batch(HOST, action("delete_account", BOB)),
    "promises_1025": "(loop $l " + do("promise_batch_create", HOST)
    + "(local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 1025))))",
    "dependencies_129": "(loop $l " + do("promise_batch_create", HOST)
    + f"(i64.store (i32.add (i32.const {SCRATCH}) (i32.mul (local.get $i) (i32.const 8))) (i64.extend_i32_u (local.get $i)))"
    + "(local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 129))))"
    + do("promise_and", SCRATCH, 129),
    "results": tell("promise_results_count"),
    "result_0": do("promise_result", 0, 3) + show(3),
    "result_1": tell("promise_result", 1, 3),
    "result_missing": tell("promise_result", 9, 3),
    # yields
    "yield": tell("promise_yield_create", METHOD, ARGS, 10**13, 0, 37),
    "yield_weight": do("promise_yield_create", METHOD, ARGS, 10**13, 1, 37) + do("promise_return", 0),
    "yield_keep": do("promise_yield_create", METHOD, ARGS, 10**13, 0, 37) + do("storage_write", METHOD, REGISTER, 37, 3),
    "yield_no_name": do("promise_yield_create", EMPTY, ARGS, 10**13, 0, 37),
    "resume_kept": do("storage_read", METHOD, 3) + tell("promise_yield_resume", REGISTER, 3, PAYLOAD),
    "resume_own": do("promise_yield_create", METHOD, ARGS, 10**13, 0, 37) + tell("promise_yield_resume", REGISTER, 37, PAYLOAD),
    "resume_unknown": tell("promise_yield_resume", 32, 0, PAYLOAD),
    "resume_malformed": tell("promise_yield_resume", 31, 0, PAYLOAD),
    "resume_too_long": tell("promise_yield_resume", 32, 0, 1025, 0),
    "resume_payload_register": do("write_register", 3, *PAYLOAD) + tell("promise_yield_resume", 32, 0, REGISTER, 3),
}  # fmt: skip


def wat() -> str:
    """The contract."""
    lines = ["(module"]
    for name, (params, result) in IMPORTS.items():
        kind = "".join(f" (param {TYPES[letter]})" for letter in params) + (f" (result {TYPES[result]})" if result else "")
        lines.append(f' (import "env" "{name}" (func ${name}{kind}))')
    lines.append(" (memory 1)")
    lines.append(' (data (i32.const 0) "' + "".join(f"\\{byte:02x}" for byte in DATA.bytes) + '")')
    lines += [f' (func (export "{name}") (local $i i32) {body})' for name, body in CASES.items()]
    return "\n".join([*lines, ")", ""])


RESULTS = [{"ok": "aGVsbG8="}, "failed"]


def calls() -> list[dict[str, object]]:
    """Each case once as a call, once as a view; some with what matters to them alone."""
    plain: list[dict[str, object]] = [{"method": name} for name in CASES]
    extra: list[dict[str, object]] = [
        {"method": "account_balance", "attached_deposit": "5000"},
        {"method": "attached_deposit", "attached_deposit": "5000"},
        {"method": "input", "args_json": {"b": [1, 2], "a": "x"}},
        {"method": "results", "promise_results": RESULTS},
        {"method": "result_0", "promise_results": RESULTS},
        {"method": "result_1", "promise_results": RESULTS},
        {"method": "return_text", "output_data_receivers": ["alice.testnet", "host.testnet"]},
        {"method": "call_one_yocto", "account_balance": "0"},
        {"method": "create", "account_balance": "0", "attached_deposit": "1000000000000000000000000"},
        {"method": "no_such_method", "account_balance": "100000000000000000000000000"},
        {"method": ""},
        {"method": "store"},
        {"method": "load"},
        {"method": "create_then", "prepaid_gas": 8_000_000_000_000},
        {"method": "call_weights", "prepaid_gas": 9_000_000_000_000},
    ]
    views = [{"method": name, "is_view": True} for name in CASES]
    starved = [
        {"method": name, "prepaid_gas": gas}
        for name in ("log", "store_again", "create_then", "yield", "add_call_key", "sha256", "return_text")
        for gas in (1, 10**9, 35 * 10**9, 10**11, 3 * 10**11, 10**12, 11 * 10**12)
    ]
    return [*plain, *extra, *views, *starved]
