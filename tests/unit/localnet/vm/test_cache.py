"""Compiled contracts on disk."""

import stat
from pathlib import Path

import pytest
import wasmtime

from localnet.parameters import parameters
from localnet.vm import CacheDirectoryError, cache, default_cache_directory
from localnet.vm.cache import CodeCache
from localnet.vm.engine import running_engine, validating_engine
from localnet.vm.link import Host

CODE = bytes(wasmtime.wat2wasm('(module (func (export "main")) (func (export "odd") (param i32)))'))
BROKEN = b"\0asm\1\0\0\0\xff"


@pytest.fixture
def host() -> Host:
    return Host(running_engine(parameters().limits), parameters().host)


def new_cache(host: Host, directory: Path | None, in_memory: int = 64) -> CodeCache:
    return CodeCache(parameters(), validating_engine(), host.linker, directory=directory, in_memory=in_memory)


@pytest.fixture
def count_compilations(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    seen: list[bytes] = []
    original = cache.meter

    def counting(validator: wasmtime.Engine, code: bytes, figures: object) -> object:
        seen.append(code)
        return original(validator, code, figures)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "meter", counting)
    return seen


def test_a_contract_is_compiled_once(host: Host, count_compilations: list[bytes]) -> None:
    store = new_cache(host, None)

    assert store.prepare(CODE) is store.prepare(CODE)
    assert count_compilations == [CODE]


def test_a_second_process_takes_the_compiled_code_from_disk(host: Host, tmp_path: Path, count_compilations: list[bytes]) -> None:
    first = new_cache(host, tmp_path / "compiled").prepare(CODE)
    second = new_cache(host, tmp_path / "compiled").prepare(CODE)

    assert count_compilations == [CODE]
    assert (second.methods, second.other_functions, second.code_bytes) == (first.methods, first.other_functions, len(CODE))
    assert second.pre is not None


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_entry_is_compiled_anew(damage: bytes | None, host: Host, tmp_path: Path, count_compilations: list[bytes]) -> None:
    new_cache(host, tmp_path / "compiled").prepare(CODE)
    (entry,) = (tmp_path / "compiled").iterdir()
    entry.write_bytes(entry.read_bytes()[:-1] + b"?" if damage is None else damage)

    assert new_cache(host, tmp_path / "compiled").prepare(CODE).pre is not None
    assert count_compilations == [CODE, CODE]


def test_the_directory_and_its_entries_are_the_owners_alone(host: Host, tmp_path: Path) -> None:
    new_cache(host, tmp_path / "compiled").prepare(CODE)
    (entry,) = (tmp_path / "compiled").iterdir()

    assert stat.S_IMODE((tmp_path / "compiled").stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


def test_a_directory_others_can_write_is_refused_with_the_mend(host: Host, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(CacheDirectoryError, match="chmod 700"):
        new_cache(host, tmp_path / "open")


def test_refused_code_is_refused_again_without_looking(host: Host, count_compilations: list[bytes]) -> None:
    store = new_cache(host, None)

    assert store.prepare(BROKEN).failure == store.prepare(BROKEN).failure
    assert count_compilations == [BROKEN]


def test_the_least_used_contract_leaves_a_full_memory(host: Host, count_compilations: list[bytes]) -> None:
    store = new_cache(host, None, in_memory=1)

    for code in (CODE, BROKEN, CODE):
        store.prepare(code)

    assert count_compilations == [CODE, BROKEN, CODE]


def test_the_default_directory_follows_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert default_cache_directory() == tmp_path / "near-compute-oracle" / "compiled"


def test_a_disk_that_takes_nothing_more_does_not_stop_a_call(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.tempfile, "NamedTemporaryFile", full)

    assert new_cache(host, tmp_path / "compiled").prepare(CODE).pre is not None


def test_a_disk_that_fills_up_while_an_entry_is_written_keeps_no_half_of_it(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    assert new_cache(host, tmp_path / "compiled").prepare(CODE).pre is not None
    assert list((tmp_path / "compiled").iterdir()) == []


def test_a_directory_that_cannot_be_made_is_refused_with_the_mend(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CacheDirectoryError, match="XDG_CACHE_HOME"):
        new_cache(host, tmp_path / "file" / "compiled")


def test_the_directory_keeps_what_was_used_last(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_ENTRIES", 2)
    store = new_cache(host, tmp_path / "compiled")
    for number in range(3):
        store.prepare(bytes(wasmtime.wat2wasm(f'(module (func (export "m{number}")))')))

    assert len(list((tmp_path / "compiled").iterdir())) == 2
