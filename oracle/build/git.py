"""
Exactly one commit of a repository, checked out into a directory.

Git is told to trust nothing: no configuration but ours, no hooks, no prompts, no submodules, no large-file filters, no symbolic links, and
only the transports named here. Only the one commit's tree is fetched, and it is measured before a file of it is written.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from oracle.build.process import Bounds, Finished, run_program
from oracle.errors import SourceRefused, SourceUnavailable

MAX_TREE_BYTES = 64 * 1024 * 1024
MAX_TREE_FILES = 2_000
FETCH_BOUNDS = Bounds(timeout_s=90.0, max_file_bytes=256 * 1024 * 1024)

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ON_GITHUB = re.compile(
    r"(?:https://)?github\.com/(?P<owner>[A-Za-z0-9-]{1,39})/(?P<name>[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?", re.IGNORECASE
)
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "core.protectNTFS=true",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "protocol.version=2",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "advice.detachedHead=false",
)


@dataclass(frozen=True, slots=True)
class Checkout:
    """What to check out, from where; made by `checked_source`."""

    url: str
    commit: str


def checked_source(repo: str, commit: str, *, local_chain: bool) -> Checkout:
    """
    Parse a repository and commit as a request names them.

    Raises:
        SourceRefused: a place we do not clone from, or not a full commit.
    """
    if not _COMMIT.fullmatch(commit):
        raise SourceRefused(
            f"The commit {commit[:80]!r} is not a full commit hash; give all 40 hex digits (git rev-parse HEAD): "
            "a branch moves, a commit does not."
        )
    found = _ON_GITHUB.fullmatch(repo)
    if found is not None and found["name"] not in {".", ".."}:
        return Checkout(f"https://github.com/{found['owner']}/{found['name']}", commit)
    if local_chain and _is_local(repo):
        return Checkout(repo, commit)
    places = "https://github.com/OWNER/NAME" + (", file:///PATH and http:// on this machine" if local_chain else "")
    raise SourceRefused(f"The repository {repo[:200]!r} cannot be cloned; this worker clones from {places}.")


async def check_out(source: Checkout, into: Path) -> None:
    """
    Write the commit's files to `into`, an empty directory, without git's own.

    Raises:
        SourceRefused: the tree is too large.
        SourceUnavailable: no git here, no such repository or commit, or too slow.
    """
    if shutil.which("git") is None:
        raise SourceUnavailable("This worker cannot clone: git is not installed on its machine.")
    await _git(into, "init", "--quiet")
    fetched = await _git(
        into, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options", source.url, source.commit
    )
    if fetched.timed_out:
        raise SourceUnavailable(f"{source.url} did not deliver its commit within {FETCH_BOUNDS.timeout_s:g} seconds.")
    if not fetched.succeeded:
        raise SourceUnavailable(f"Commit {source.commit} of {source.url} could not be fetched: {_last_line(fetched)}")
    await _measure(source, into)
    checked_out = await _git(into, "checkout", "--quiet", "--detach", source.commit)
    if not checked_out.succeeded:
        raise SourceUnavailable(f"Commit {source.commit} of {source.url} could not be checked out: {_last_line(checked_out)}")
    shutil.rmtree(into / ".git")


async def _measure(source: Checkout, into: Path) -> None:
    """Sizes as git's tree tells them: a small pack can unfold to anything."""
    listed = await _git(into, "ls-tree", "-r", "--format=%(objectsize)", source.commit)
    sizes = listed.output.split()
    if not listed.succeeded:
        raise SourceUnavailable(f"Commit {source.commit} of {source.url} has no files that can be listed: {_last_line(listed)}")
    # the listing keeps its last 64 KiB only; 2,000 sizes of at most 20 digits are shorter
    if len(sizes) > MAX_TREE_FILES or sum(int(size) for size in sizes if size.isdigit()) > MAX_TREE_BYTES:
        raise SourceRefused(f"The repository has more than {MAX_TREE_FILES:,} files or {MAX_TREE_BYTES:,} bytes, the most that is built.")


async def _git(directory: Path, *arguments: str) -> Finished:
    configuration = [part for setting in _CONFIGURATION for part in ("-c", setting)]
    return await run_program(["git", *configuration, *arguments], cwd=directory, environment=_environment(directory), bounds=FETCH_BOUNDS)


def _environment(directory: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "file:http:https",  # which of them a request may name is decided by `checked_source`
        "GIT_ASKPASS": "false",
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_TEMPLATE_DIR": "",
    }


def _is_local(repo: str) -> bool:
    try:
        parts = urlsplit(repo)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme == "file":
        return not parts.netloc and parts.path.startswith("/")
    return parts.scheme == "http" and host in _LOOPBACK_HOSTS and parts.username is None


def _last_line(finished: Finished) -> str:
    lines = [line for line in finished.output.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else f"git ended with code {finished.exit_code}"
