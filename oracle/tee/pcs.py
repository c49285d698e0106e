"""
Intel's Provisioning Certification Service, or a cache of it (PCCS): collateral over HTTP.

Source: Intel SGX and TDX Provisioning Certification Service API v4. A PCCS gives the root's revocation list as hex; Intel's service does
not give it at all, and it is fetched from where the trusted root says it is.
"""

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote

from cryptography import x509

from oracle.errors import EvidenceRefused, TeeUnavailable
from oracle.model import QuoteKind
from oracle.settings import redacted_url
from oracle.tee.certificates import UNREADABLE
from oracle.tee.collateral import Collateral
from oracle.tee.members import as_members, hex_of, read_members
from oracle.tee.root import Root

INTEL_PCS = "https://api.trustedservices.intel.com"
MAX_DOCUMENT_BYTES = 512 * 1024
_SUFFIXES = ("/sgx/certification/v4", "/tdx/certification/v4")


@dataclass(frozen=True, slots=True)
class Document:
    """A body, and the headers that came with it by lower-case name."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class FetchDocument(Protocol):
    """HTTP to a service that the operator named, with size and time bounded."""

    async def fetch(self, url: str, *, max_bytes: int) -> Document:
        """
        What a URL answers to GET.

        Raises:
            TeeUnavailable: no answer in time, another status than 200, too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which collateral: of a kind of machine, a platform (6 bytes) and a PCK authority (`platform` or `processor`)."""

    kind: QuoteKind
    fmspc: bytes
    authority: str

    def __str__(self) -> str:
        return f"{self.kind.value.lower()}-{self.fmspc.hex()}-{self.authority}"


class Pcs:
    """One service."""

    def __init__(self, url: str, fetch: FetchDocument, root: Root) -> None:
        """`url`: with or without the API's path."""
        base = url.rstrip("/")
        for suffix in _SUFFIXES:
            base = base.removesuffix(suffix)
        self._url, self._fetch, self._root = base, fetch, root

    @property
    def place(self) -> str:
        """The service as it may be shown: an API key may be part of its URL."""
        return redacted_url(self._url)

    async def collateral(self, wanted: Wanted) -> Collateral:
        """
        Fetch all parts; nothing of it is believed yet.

        Raises:
            TeeUnavailable: a part cannot be had.
            EvidenceRefused: a part cannot be read.
        """
        tee = wanted.kind.value.lower()
        crl = await self._get("sgx", f"pckcrl?ca={wanted.authority}&encoding=der")
        tcb = await self._get(tee, f"tcb?fmspc={wanted.fmspc.hex().upper()}")
        identity = await self._get(tee, "qe/identity?update=standard")
        root_crl = await self._root_crl()
        tcb_info, tcb_signature = _signed(tcb, "tcbInfo")
        qe_identity, qe_signature = _signed(identity, "enclaveIdentity")
        return Collateral.from_json(
            json.dumps(
                {
                    "pck_crl_issuer_chain": _chain(crl, "sgx-pck-crl-issuer-chain"),
                    "root_ca_crl": root_crl.hex(),
                    "pck_crl": crl.body.hex(),
                    "tcb_info_issuer_chain": _chain(tcb, "tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"),
                    "tcb_info": tcb_info,
                    "tcb_info_signature": tcb_signature,
                    "qe_identity_issuer_chain": _chain(identity, "sgx-enclave-identity-issuer-chain"),
                    "qe_identity": qe_identity,
                    "qe_identity_signature": qe_signature,
                }
            )
        )

    async def _get(self, tee: str, path: str) -> Document:
        try:
            return await self._fetch.fetch(f"{self._url}/{tee}/certification/v4/{path}", max_bytes=MAX_DOCUMENT_BYTES)
        except TeeUnavailable as error:
            raise TeeUnavailable(f"{tee} {path.partition('?')[0]}: {error}") from error

    async def _root_crl(self) -> bytes:
        if self._url != INTEL_PCS:
            try:
                return binascii.unhexlify((await self._get("sgx", "rootcacrl")).body.strip())
            except (TeeUnavailable, binascii.Error) as error:
                return await self._root_crl_at_its_place(error)
        return await self._root_crl_at_its_place(None)

    async def _root_crl_at_its_place(self, earlier: Exception | None) -> bytes:
        """Where the trusted root says; a place that a chain of the service named would be a stranger's."""
        url = _distribution_point(self._root)
        if url is None:
            raise TeeUnavailable(f"{self.place} does not give the root's revocation list ({earlier}), and the root names no other place")
        return (await self._fetch.fetch(url, max_bytes=MAX_DOCUMENT_BYTES)).body


def _signed(document: Document, name: str) -> tuple[str, str]:
    """The text that was signed, which services write without spaces, and its signature in hex."""
    members = read_members(document.body.decode("utf-8", "replace"), f"the answer with {name}", max_bytes=MAX_DOCUMENT_BYTES)
    what = f"the answer with {name}"
    signed = as_members(members.get(name), f"{name} in {what}")
    return json.dumps(signed, separators=(",", ":"), ensure_ascii=False), hex_of(members, "signature", what).hex()


def _chain(document: Document, *names: str) -> str:
    """A certificate chain, which travels in a header as percent-encoded PEM."""
    for name in names:
        if name in document.headers:
            return unquote(document.headers[name])
    raise EvidenceRefused(f"the answer lacks its certificate chain, the header {names[0]!r}")


def _distribution_point(root: Root) -> str | None:
    """An https URL of the root's revocation list."""
    try:
        points = root.certificate().extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
    names = (name for point in points for name in point.full_name or ())
    urls = (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))
    return next((url for url in urls if url.startswith("https://")), None)
