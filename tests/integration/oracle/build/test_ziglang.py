import hashlib
import os
import shutil
import subprocess
from importlib.metadata import version

import pytest
import wasmtime

from oracle.build import ArtifactCache, CodeProvider, ZigCompiler, has_ziglang
from oracle.build.git import check_out, checked_source
from oracle.build.process import Finished
from oracle.build.ziglang import zig_toolchain
from oracle.errors import BuildFailed, SourceRefused, SourceUnavailable
from oracle.model import BuildTarget, GitHub, Toolchain
from oracle.net import Fetcher

pytestmark = pytest.mark.skipif(shutil.which("git") is None and os.environ.get("CI") != "true", reason="git is not installed")

HELLO = '#include <stdio.h>\n#include "words.h"\nint main(void) { puts(WORD); return 0; }\n'


class Repository:
    """A bare-bones local repository."""

    def __init__(self, path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1"}
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.path, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.path / name.replace("_", ".")).write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    @property
    def url(self) -> str:
        return self.path.as_uri()


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


async def checked_out(repository: Repository, commit: str, into) -> list[str]:
    into.mkdir()
    await check_out(checked_source(repository.url, commit, local_chain=True), into)
    return sorted(entry.name for entry in into.iterdir())


async def test_exactly_the_named_commit_is_checked_out_without_gits_own_files(repository, tmp_path):
    first = repository.commit(main_c="first")
    repository.commit(main_c="second", words_h="x")
    assert await checked_out(repository, first, tmp_path / "out") == ["main.c"]
    assert (tmp_path / "out" / "main.c").read_text() == "first"


async def test_hooks_links_and_submodules_of_a_repository_do_nothing(repository, tmp_path):
    (repository.path / ".githooks").mkdir()
    trap = tmp_path / "trap"
    (repository.path / ".githooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {trap}\n")
    (repository.path / ".githooks" / "post-checkout").chmod(0o755)
    (repository.path / "link.c").symlink_to("/etc/passwd")
    other = Repository(tmp_path / "other")
    other.commit(main_c="x")
    repository.git("submodule", "add", "--quiet", other.url, "module")
    commit = repository.commit(main_c="x")
    await checked_out(repository, commit, tmp_path / "out")
    assert not trap.exists()
    assert not (tmp_path / "out" / "link.c").is_symlink()
    assert list((tmp_path / "out" / "module").iterdir()) == []


async def test_a_commit_or_repository_that_is_not_there_is_told(repository, tmp_path):
    commit = repository.commit(main_c="x")
    with pytest.raises(SourceUnavailable, match="could not be fetched"):
        await checked_out(repository, "0" * 40, tmp_path / "a")
    shutil.rmtree(repository.path)
    with pytest.raises(SourceUnavailable, match="could not be fetched"):
        await checked_out(repository, commit, tmp_path / "b")


async def test_a_tree_that_unfolds_to_too_much_is_refused_before_it_is_written(repository, tmp_path, monkeypatch):
    commit = repository.commit(main_c="x" * 5_000)
    monkeypatch.setattr("oracle.build.git.MAX_TREE_BYTES", 4_999)
    with pytest.raises(SourceRefused, match="4,999 bytes"):
        await checked_out(repository, commit, tmp_path / "out")
    assert not (tmp_path / "out" / "main.c").exists()


@pytest.fixture(scope="session")
def zig_directory(request):
    """One directory for all builds, kept by pytest: zig builds libc once, which takes half a minute."""
    return request.config.cache.mkdir("zig-builds")


needs_zig = pytest.mark.skipif(not has_ziglang() and os.environ.get("CI") != "true", reason="the extra `build` is not installed")


@needs_zig
async def test_a_repository_with_one_main_c_becomes_wasm_in_the_cache(repository, tmp_path, zig_directory):
    commit = repository.commit(main_c=HELLO, words_h='#define WORD "hello"\n')
    compiler = ZigCompiler(zig_directory, local_chain=True)
    provider = CodeProvider(ArtifactCache(tmp_path / "cache"), Fetcher(local_chain=True), compiler)
    code = await provider.get(GitHub(repository.url, commit))
    assert code.path.read_bytes().startswith(b"\0asm")
    assert code.compile_time_ms is not None
    assert code.toolchain == zig_toolchain()
    again = await provider.get(GitHub(repository.url, commit), force_rebuild=True)
    assert again.wasm_sha256_hex == code.wasm_sha256_hex
    assert [entry.name for entry in zig_directory.iterdir()] == ["zig"]


@needs_zig
def test_the_toolchain_is_named_with_the_digest_of_its_recipe():
    """As docs/receipts.md writes the recipe."""
    released = version("ziglang")
    recipe = (
        '{"arguments":["--target=wasm32-wasi","-O2","-s","-Wl,-z,stack-size=1048576","main.c","-o","module.wasm"],'
        f'"environment":{{"LC_ALL":"C"}},"name":"zig cc","schema":"nco/recipe/v1","version":"{released}"}}'
    )
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    assert zig_toolchain() == Toolchain("zig cc", released, "wasm32-wasi", "-O2 -s -Wl,-z,stack-size=1048576", digest)


@needs_zig
async def test_what_is_called_is_what_the_toolchain_says(repository, tmp_path, monkeypatch):
    called = []

    async def run(command, **_):
        called.append(command)
        return Finished(1, "no", timed_out=False)

    monkeypatch.setattr("oracle.build.ziglang.run_program", run)
    with pytest.raises(BuildFailed):
        await ZigCompiler(tmp_path / "zig", local_chain=True).compile(GitHub(repository.url, repository.commit(main_c="x")), tmp_path / "m")
    said = zig_toolchain()
    (command,) = called
    assert command[3:] == ["ziglang", "cc", f"--target={said.target}", *said.flags.split(), "main.c", "-o", command[-1]]
    assert command[-1].endswith("/module.wasm")


@needs_zig
async def test_a_built_guest_starts_within_two_megabytes(repository, tmp_path, zig_directory):
    commit = repository.commit(main_c='#include <stdio.h>\nint main(void) { puts("small"); }\n')
    await ZigCompiler(zig_directory, local_chain=True).compile(GitHub(repository.url, commit), tmp_path / "m.wasm")
    memory = wasmtime.Module.from_file(wasmtime.Engine(), str(tmp_path / "m.wasm")).exports[0].type
    assert memory.limits.min * 65_536 <= 2 * 1024 * 1024


@needs_zig
async def test_what_the_compiler_says_reaches_the_caller_without_paths_of_this_machine(repository, tmp_path, zig_directory):
    commit = repository.commit(main_c="int main(void) { return nonsense; }\n", ziglang_py="raise SystemExit(0)\n")
    with pytest.raises(BuildFailed, match=r"main\.c:1:\d+: error: .*nonsense") as refused:
        await ZigCompiler(zig_directory, local_chain=True).compile(GitHub(repository.url, commit), tmp_path / "m.wasm")
    assert str(zig_directory) not in str(refused.value)
    assert len(str(refused.value)) < 800


async def test_a_repository_of_another_shape_or_target_is_told_what_is_built(repository, tmp_path):
    commit = repository.commit(README_md="x")
    compiler = ZigCompiler(tmp_path / "zig", local_chain=True)
    if has_ziglang():
        with pytest.raises(BuildFailed, match=r"no main\.c"):
            await compiler.compile(GitHub(repository.url, commit), tmp_path / "m.wasm")
    with pytest.raises(BuildFailed, match="wasm32-wasip1 only"):
        await compiler.compile(GitHub(repository.url, commit, BuildTarget.WASIP2), tmp_path / "m.wasm")


async def test_without_the_extra_the_answer_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr("oracle.build.ziglang.has_ziglang", lambda: False)
    with pytest.raises(BuildFailed, match=r"near-compute-oracle\[build\]"):
        await ZigCompiler(tmp_path, local_chain=True).compile(GitHub("github.com/o/r", "0" * 40), tmp_path / "m.wasm")


def test_what_a_killed_build_left_is_swept_at_the_next_start_but_not_a_build_of_now(tmp_path):
    for name, age in (("build-killed", 1_000), ("build-now", None), ("zig", 1_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        if age is not None:
            os.utime(tmp_path / name, (age, age))
    ZigCompiler(tmp_path, local_chain=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["build-now", "zig"]
