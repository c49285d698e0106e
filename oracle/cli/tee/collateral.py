"""`oracle tee collateral`: Intel's word on a quote's platform, as `oracle verify` and `oracle tee verify-quote` take it from a file."""

import asyncio
from pathlib import Path

import click
from pydantic import Field, field_validator

from oracle.cli.environment import start_with
from oracle.cli.verdict import FILE, read_bounded
from oracle.logging import keep_secret
from oracle.ports import SystemClock
from oracle.settings import HomeSettings, redacted_url
from oracle.settings.values import http_url
from oracle.tee.documents import HttpDocuments
from oracle.tee.pccs import CollateralSource
from oracle.tee.pcs import INTEL_PCS
from oracle.tee.quote import MAX_QUOTE_BYTES, read_quote
from oracle.tee.root import INTEL, Root

OK = 0


class ServiceSettings(HomeSettings):
    """Where collateral comes from: the worker's own setting, without the rest of a worker's."""

    pccs_url: str = Field(default=INTEL_PCS, description="Intel's PCS, or a cache of it")

    _service = field_validator("pccs_url")(http_url)


@click.command("collateral")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--pccs", "pccs_url", metavar="URL", help="Intel's service, or a cache of it. Default: PCCS_URL, else Intel's own.")
@click.option("--root-ca", "root_path", type=FILE, help="Root certificate that it has to be signed under instead of Intel's (PEM or DER).")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File for it; without it it goes to stdout.")
def command(*, file: Path, pccs_url: str | None, root_path: Path | None, output: Path | None) -> int:
    """
    Fetch Intel's collateral of a quote's platform, good now.

    FILE holds the quote raw, in hex or in base64 (- for standard input). What the service gives is written only when it is signed under
    the root, valid now and of this platform; the quote itself is not verified. Exit code: 0 written; 1 no answer, or one that is refused.

    \b
    Examples:
      oracle tee collateral quote.bin --output collateral.json
      oracle tee collateral quote.bin --pccs http://127.0.0.1:8081 --root-ca test-root.crt > collateral.json
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    settings = start_with(ServiceSettings, pccs_url=pccs_url)
    if redacted_url(settings.pccs_url).endswith("…"):
        keep_secret((settings.pccs_url,))
    root = INTEL if root_path is None else Root.from_file(root_path)
    text = asyncio.run(_fetch(settings.pccs_url, read_quote(read_bounded(file, 3 * MAX_QUOTE_BYTES)), root))
    if output is None:
        click.echo(text)
        return OK
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from error
    return OK


async def _fetch(url: str, quote: bytes, root: Root) -> str:
    async with HttpDocuments() as documents:
        found = await CollateralSource(url, documents, None, SystemClock(), root).for_quote(quote)
    return found.to_json()
