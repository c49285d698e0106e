"""
`oracle tee quote`: a quote over data of the user's own.

A worker's machine must not be got to quote a key of somebody else's, or a receipt that it did not make. So nobody chooses report data here:
it is the hash of the data under a tag of its own, followed by that tag, which neither a registration's nor a receipt's can be.
"""

import asyncio
import hashlib
import json
from pathlib import Path

import click

from oracle.cli.environment import start_with
from oracle.cli.tee.socket_settings import SocketSettings
from oracle.errors import ConfigurationError
from oracle.model import Attestation
from oracle.model.receipt import TeeMode
from oracle.tee.dstack import Dstack
from oracle.tee.quote import REPORT_DATA_BYTES

OK = 0
USER_DOMAIN = b"nco/user/v1"
MAX_DATA_BYTES = 64


def user_report_data(data: bytes) -> bytes:
    """
    REPORTDATA of a user's quote, 64 bytes: sha256 of the tag and the data, then the tag, filled up with zeros.

    The first half is a hash and so nobody's key; the second half of a registration is a hash, and that of a receipt is zeros.
    """
    digest = hashlib.sha256(USER_DOMAIN + data).digest()
    return digest + USER_DOMAIN.ljust(REPORT_DATA_BYTES - len(digest), b"\0")


class _Hex(click.ParamType[bytes]):
    name = "HEX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Read the digits."""
        if isinstance(value, bytes):
            return value
        try:
            data = bytes.fromhex(str(value).removeprefix("0x"))
        except ValueError:
            data = b""
        if not 0 < len(data) <= MAX_DATA_BYTES:
            self.fail(f"{str(value)[:140]!r} is not 1 to {MAX_DATA_BYTES} bytes in hex", param, ctx)
        return data


@click.command("quote")
@click.option("--report-data", "data", type=_Hex(), required=True, help=f"What the quote shall bind, 1 to {MAX_DATA_BYTES} bytes.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File for the raw quote; without it hex is printed.")
@click.option("--endpoint", help="The dstack socket, a path or a URL. Default: DSTACK_SIMULATOR_ENDPOINT.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object, event log included.")
def command(*, data: bytes, output: Path | None, endpoint: str | None, as_json: bool) -> int:
    """
    Have the machine quote some report data.

    The quote's report data is sha256("nco/user/v1" and your bytes), then "nco/user/v1" and zeros: so no quote made here passes for that of
    a worker's key or of a receipt. With TEE_MODE=tdx, which is a registered worker, nothing is quoted.

    \b
    Examples:
      oracle tee quote --report-data 00ff
      oracle tee quote --report-data 00ff --output quote.bin
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    settings = start_with(SocketSettings, dstack_simulator_endpoint=endpoint)
    if settings.tee_mode is TeeMode.TDX:
        raise ConfigurationError(("TEE_MODE=tdx: this is a registered worker, which quotes its own key and receipts and nothing else",))
    report_data = user_report_data(data)
    attestation = asyncio.run(_quote(settings.dstack_simulator_endpoint, report_data))
    if output is not None:
        _write(output, attestation.quote)
    if as_json:
        told = {"report_data": report_data.hex(), "quote": attestation.quote.hex(), "event_log": attestation.event_log}
        click.echo(json.dumps(told | {"output": None if output is None else str(output)}))
    elif output is None:
        click.echo(attestation.quote.hex())
    click.echo(f"report data {report_data.hex()}", err=True)
    return OK


def _write(path: Path, quote: bytes) -> None:
    try:
        path.write_bytes(quote)
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


async def _quote(endpoint: str, report_data: bytes) -> Attestation:
    async with Dstack(endpoint) as socket:
        return await socket.quote(report_data)
