"""Requests that cannot work, and those at the very edge of what does, with what must come of each."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wasmtime import wat2wasm

from tests.acceptance.harness import Ask
from tests.acceptance.harness.client import NEAR
from tests.acceptance.harness.world import guest_path

LIMITS = {"max_instructions": 50_000_000, "max_memory_mb": 16, "max_execution_seconds": 1}
KIB_64 = 64 * 1024
NO_WASM_HASH = hashlib.sha256(b"nothing").hexdigest()


@dataclass
class Case:
    """A request and what must come of it; `reason` None: it succeeds with `value`."""

    ask: Ask
    reason: str | None = None
    value: object = None


@dataclass
class Place:
    """Where the cases find their code."""

    directory: Path
    http_url: str

    def file(self, content):
        """A source of these bytes, or of this text as wasm."""
        code = bytes(wat2wasm(content)) if isinstance(content, str) else content
        path = self.directory / f"{hashlib.sha256(code).hexdigest()}.wasm"
        path.write_bytes(code)
        return {"WasmUrl": {"url": path.as_uri(), "hash": hashlib.sha256(code).hexdigest()}}

    def http(self, name, code_hash=NO_WASM_HASH):
        return {"WasmUrl": {"url": f"{self.http_url}/{name}", "hash": code_hash}}


def code_that_cannot_be_had(place):
    echo = guest_path("echo")
    commit = repository(place.directory / "c", "int main(void) { return 0 }")
    html = b"<!doctype html><title>Not found</title>"
    return {
        "wrong hash": Case(Ask(source={"WasmUrl": {"url": echo.as_uri(), "hash": "0" * 64}}), "has the sha256 .* promises 0000"),
        "endless redirect": Case(Ask(source=place.http("loop")), "redirects more than 5 times"),
        "redirect to a file": Case(Ask(source=place.http("to-file")), "redirects to a file"),
        "redirect to metadata": Case(Ask(source=place.http("to-metadata")), "169.254.169.254"),
        "page of HTML": Case(Ask(source=place.http("page")), "answered with a web page"),
        "page of HTML with its true hash": Case(
            Ask(source=place.http("page", hashlib.sha256(html).hexdigest())), "answered with a web page"
        ),
        "endless body": Case(Ask(source=place.http("endless")), "longer than"),
        "nothing there": Case(Ask(source={"WasmUrl": {"url": "file:///no/such/file", "hash": NO_WASM_HASH}}), "cannot be read"),
        "directory": Case(Ask(source={"WasmUrl": {"url": place.directory.as_uri(), "hash": NO_WASM_HASH}}), "not a regular file"),
        "device": Case(Ask(source={"WasmUrl": {"url": "file:///dev/zero", "hash": NO_WASM_HASH}}), "not a regular file"),
        "private address": Case(Ask(source={"WasmUrl": {"url": "http://10.0.0.1/a", "hash": NO_WASM_HASH}}), "10.0.0.1"),
        "branch instead of a commit": Case(Ask(source=github(place.directory / "c", "main")), "not a full commit hash"),
        "C that does not compile": Case(Ask(source=github(place.directory / "c", commit)), "refused main.c"),
    }


def code_that_cannot_be_run(place):
    return {
        "not wasm": Case(Ask(source=place.file(b"#!/bin/sh\necho hello\n")), "is not WebAssembly"),
        "half a header": Case(Ask(source=place.file(b"\0asm\1")), "ends within its header"),
        "garbage after the header": Case(Ask(source=place.file(b"\0asm\1\0\0\0" + bytes(range(200, 255)))), "."),
        "component of P2": Case(Ask(source=place.file(b"\0asm\x0d\0\1\0")), "WASI P2 components are not run"),
        "unknown imports": Case(
            Ask(source=place.file('(module (import "env" "host_secret" (func)) (memory (export "memory") 1) (func (export "_start")))')),
            "does not offer: env.host_secret",
        ),
        "sockets": Case(
            Ask(
                source=place.file(
                    '(module (import "wasi_snapshot_preview1" "sock_open" (func (param i32 i32 i32) (result i32)))'
                    ' (memory (export "memory") 1) (func (export "_start")))'
                )
            ),
            "sock_open",
        ),
        "no start": Case(Ask(source=place.file('(module (memory (export "memory") 1))')), "no function `_start`"),
        "start with values": Case(
            Ask(source=place.file('(module (memory (export "memory") 1) (func (export "_start") (param i32)))')), "takes or returns values"
        ),
        "no memory": Case(Ask(source=place.file('(module (func (export "_start")))')), "no memory"),
        "memory above the limit": Case(
            Ask(source=place.file('(module (memory (export "memory") 1000) (func (export "_start")))'), limits=LIMITS),
            "starts with 62.5 MB and its limit is 16 MB",
        ),
    }


def guests_that_misbehave(place):
    loop_at_start = place.file('(module (memory (export "memory") 1) (func $f (loop (br 0))) (start $f) (func (export "_start")))')
    return {
        "endless loop": Case(Ask(guest="endless_loop", limits=LIMITS), "ran out of instructions: its limit is 50000000"),
        "endless loop in the start section": Case(Ask(source=loop_at_start, limits=LIMITS), "ran out of instructions"),
        "sleeping for ever": Case(Ask(guest="sleep_forever", limits=LIMITS), "ran out of time: its limit is 1 s"),
        "memory to the limit": Case(Ask(guest="memory_bomb", limits=LIMITS), "ran out of memory.* at most 16 MB"),
        "flood of stdout": Case(Ask(guest="stdout_flood", limits=LIMITS), "more than 65536 bytes to stdout"),
        "exit code": Case(Ask(guest="exit_three", limits=LIMITS), "exit code 3"),
        "division by zero": Case(Ask(guest="divide_by_zero", limits=LIMITS), "divided an integer by zero"),
        "unreachable": Case(Ask(guest="unreachable", limits=LIMITS), "unreachable"),
        "stack overflow": Case(Ask(guest="stack_overflow", limits=LIMITS), "call stack overflowed"),
        "bad UTF-8 for Text": Case(Ask(guest="bad_utf8"), "UTF-8"),
        "text for Json": Case(Ask(input_data="{half", response_format="Json"), "not JSON"),
        "nothing for Json": Case(Ask(input_data="", response_format="Json"), "not JSON"),
        "NaN for Json": Case(Ask(input_data="[NaN]", response_format="Json"), "JSON"),
        "deep nesting for Json": Case(Ask(input_data="[" * 4_000 + "]" * 4_000, response_format="Json"), "JSON"),
        "one byte too many": Case(Ask(input_data="x" * (KIB_64 + 1), deposit=2 * NEAR), "more than 65536 bytes"),
        "sixfold when escaped": Case(Ask(input_data="\1" * KIB_64, deposit=2 * NEAR), "once escaped as JSON"),
        "secrets without a keystore": Case(
            Ask(more={"secrets_ref": {"profile": "default", "account_id": "alice.near"}}), "this worker has no keystore"
        ),
    }


def what_works(place):
    echo_hash = hashlib.sha256(guest_path("echo").read_bytes()).hexdigest()
    commit = repository(place.directory / "good", '#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n')
    return {
        "flood of stderr": Case(Ask(guest="stderr_flood", limits=LIMITS | {"max_instructions": 500_000_000}), value="done"),
        "empty output": Case(Ask(input_data=""), value=""),
        "bytes that are no text": Case(Ask(guest="bad_utf8", response_format="Bytes"), value="b2sg//4="),
        "NUL and quotes": Case(Ask(input_data='\0"\\\u2028'), value='\0"\\\u2028'),
        "a little too much for one resume": Case(Ask(input_data="y" * 1_025), value="y" * 1_025),
        "large JSON": Case(Ask(input_data="[" + "1," * 2_000 + "1]", response_format="Json"), value=[1] * 2_001),
        "exactly 64 KiB": Case(Ask(input_data="x" * KIB_64, deposit=2 * NEAR), value="x" * KIB_64),
        "64 KiB that all have to be escaped": Case(Ask(input_data="\n" * KIB_64, deposit=2 * NEAR), value="\n" * KIB_64),
        "input in state": Case(Ask(input_data="z" * 10_000), value="z" * 10_000),
        "input just below": Case(Ask(input_data="z" * 9_999), value="z" * 9_999),
        "compile only": Case(Ask(limits=None, input_data=""), value=None),
        "http on the local chain": Case(Ask(source=place.http("echo.wasm", echo_hash)), value="hello"),
        "C from a repository": Case(
            Ask(source=github(place.directory / "good", commit), limits=LIMITS | {"max_memory_mb": 32}), value="built\n"
        ),
    }


def repository(directory, main_c):
    """A repository with one commit; its hash."""
    directory.mkdir()
    (directory / "main.c").write_text(main_c)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "main.c"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *who, *arguments], cwd=directory, check=True, capture_output=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def github(directory, commit):
    return {"GitHub": {"repo": directory.as_uri(), "commit": commit}}
