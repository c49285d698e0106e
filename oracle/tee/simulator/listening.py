"""Where the simulator is reached: a Unix socket that only its user may open, ports, and the file with its root."""

import logging
import socket
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from aiohttp import web

from oracle.errors import ConfigurationError
from oracle.settings import Listen

MAX_SOCKET_PATH_BYTES = 107
"""Linux, `sun_path`."""
_protocol_log = logging.getLogger("oracle.tee.simulator.protocol")
_protocol_log.setLevel(logging.CRITICAL)
"""aiohttp's own: a traceback for each request that is no HTTP."""
_SHORT_DIRECTORY = "/tmp"  # noqa: S108  a directory of its own is made in it, which only its user may enter


@contextmanager
def directory_for_a_socket(name: str) -> Iterator[Path]:
    """A directory that goes with the block; where the user's temporary ones have paths too long for a socket, one with a short path."""
    for parent in (None, _SHORT_DIRECTORY):
        with tempfile.TemporaryDirectory(prefix="quote-simulator-", dir=parent) as directory:
            if parent is not None or _fits(Path(directory, name)):
                yield Path(directory)
                return


def _fits(path: Path) -> bool:
    return len(bytes(path)) <= MAX_SOCKET_PATH_BYTES


async def started(stack: AsyncExitStack, app: web.Application) -> web.AppRunner:
    """An application that ends with the stack."""
    runner = web.AppRunner(app, access_log=None, logger=_protocol_log, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    return runner


async def listen_at_path(runner: web.AppRunner, path: Path) -> None:
    """
    Serve at a socket.

    Raises:
        ConfigurationError: the path is too long, taken, or cannot be written.
    """
    await web.SockSite(runner, _bound(path)).start()


async def listen_at_port(runner: web.AppRunner, listen: Listen, option: str) -> str:
    """
    Serve at a port; the URL.

    Raises:
        ConfigurationError: it cannot be had; the sentence names the option.
    """
    try:
        await web.TCPSite(runner, listen.host, listen.port).start()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError((f"{option}={listen}: {reason}; name another HOST:PORT (port 0 takes a free one)",)) from error
    ports = [address[1] for address in runner.addresses if isinstance(address, tuple)]
    return f"http://{Listen(listen.host, ports[-1])}"


def write_root(path: Path, pem: bytes) -> None:
    """
    Write the root for those who shall trust it.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        path.write_bytes(pem)
    except OSError as error:
        raise ConfigurationError((f"--root-out={path}: {error.strerror}; name a file that can be written",)) from error


def _bound(path: Path) -> socket.socket:
    """A socket that nobody answers is left from a killed run and replaced; any other file stays."""
    if not _fits(path):
        raise ConfigurationError((f"--socket={path}: a socket's path has up to {MAX_SOCKET_PATH_BYTES} bytes; name a shorter one",))
    if path.exists():
        if not path.is_socket() or _is_served(path):
            raise ConfigurationError((f"--socket={path}: it is in use, or no socket; name another path",))
        path.unlink()
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        unix.bind(str(path))
        path.chmod(0o600)  # before anybody can connect: it does not listen yet
    except OSError as error:
        unix.close()
        raise ConfigurationError((f"--socket={path}: {error.strerror or error}; name another path",)) from error
    return unix


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
