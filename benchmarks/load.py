"""
A sender of JSON-RPC calls in a process of its own, so that what it costs is not counted as the server's.

`Load` starts it and hands it the calls; the process (`python -m benchmarks.load`) opens a kept connection for each list of calls, writes
the requests beforehand, and sends each list one call after the other once it is told to.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_PATIENCE_S = 300.0
_LONGEST_LINE = 2**28


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call."""

    method: str
    params: object

    def body(self) -> str:
        """The request's JSON."""
        return json.dumps({"jsonrpc": "2.0", "id": "t", "method": self.method, "params": self.params}, separators=(",", ":"))


class Load:
    """A sender that is ready: `async with Load(url, lists) as load: seconds = await load.send()`."""

    def __init__(self, url: str, lists: list[list[Call]]) -> None:
        self._order = {"url": url, "lists": [[call.body() for call in calls] for calls in lists]}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[1],
        )
        await self._tell(json.dumps(self._order))
        ready = await self._hear()
        assert ready == b"ready\n", f"the sender did not get ready: {ready!r}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def send(self) -> float:
        """Send everything; seconds from the first request to the last answer. Any answer but a result is a failure."""
        await self._tell("go")
        answer = json.loads(await self._hear())
        assert not answer["refused"], answer["refused"]
        return float(answer["seconds"])

    async def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def _hear(self) -> bytes:
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            return await self._process.stdout.readline()


async def _serve_one_order() -> None:
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    order = json.loads(await stdin.readline())
    url = urlsplit(order["url"])
    head = f"POST / HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    lists = [[f"{head}{len(body)}\r\n\r\n{body}".encode() for body in bodies] for bodies in order["lists"]]
    connections = [await asyncio.open_connection(url.hostname, url.port) for _ in lists]
    print("ready", flush=True)
    await stdin.readline()
    began = time.perf_counter()
    answers = await asyncio.gather(*(_send_all(*connection, requests) for connection, requests in zip(connections, lists, strict=True)))
    seconds = time.perf_counter() - began
    refused = [answer[:500].decode() for each in answers for answer in each if "result" not in json.loads(answer)]
    print(json.dumps({"seconds": seconds, "refused": refused[:3]}), flush=True)


async def _send_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]) -> list[bytes]:
    answers = []
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answers.append(await reader.readexactly(length))
    writer.close()
    return answers


if __name__ == "__main__":
    asyncio.run(_serve_one_order())
