"""
A caching service of collateral (PCCS) that knows one platform.

Chains travel in headers, percent-encoded PEM; the root's revocation list is hex, as Intel's own PCCS serves it, everything else as Intel's
service does.

Source: Intel SGX and TDX Provisioning Certification Service API v4; `dcap-qvl/src/collateral.rs`, which reads it.
"""

from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from oracle.tee.simulator.collateral import Collateral, CollateralTerms, make_collateral
from oracle.tee.simulator.hardware import PckCa, Tee
from oracle.tee.simulator.pki import Pki, revocation_list
from oracle.tee.simulator.window import Window


class Pccs:
    """Serves collateral as it is at the time of the request."""

    def __init__(self, pki: Pki, terms: Callable[[], CollateralTerms], clock: Callable[[], int]) -> None:
        """`clock`: seconds since 1970."""
        self._pki, self._terms, self._clock = pki, terms, clock

    def app(self) -> web.Application:
        """The application; it takes GET alone."""
        app = web.Application()
        for tee in Tee:
            base = f"/{tee}/certification/v4"
            app.router.add_get(f"{base}/tcb", self._tcb_info(tee))
            app.router.add_get(f"{base}/qe/identity", self._qe_identity(tee))
        app.router.add_get("/sgx/certification/v4/pckcrl", self._pck_crl)
        app.router.add_get("/sgx/certification/v4/rootcacrl", self._root_crl)
        return app

    def _now(self, tee: Tee) -> Collateral:
        return make_collateral(self._pki, tee, self._clock(), self._terms())

    def _tcb_info(self, tee: Tee) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            known = self._pki.platform.fmspc.hex()
            if request.query.get("fmspc", "").lower() != known:
                raise web.HTTPNotFound(text=f"this PCCS knows one platform, of FMSPC {known.upper()}")
            now = self._now(tee)
            return _signed("tcbInfo", now.tcb_info, now.tcb_info_signature, "TCB-Info-Issuer-Chain", now.tcb_info_issuer_chain)

        return handle

    def _qe_identity(self, tee: Tee) -> Handler:
        async def handle(_request: web.Request) -> web.Response:
            now = self._now(tee)
            chain = now.qe_identity_issuer_chain
            return _signed("enclaveIdentity", now.qe_identity, now.qe_identity_signature, "SGX-Enclave-Identity-Issuer-Chain", chain)

        return handle

    async def _pck_crl(self, request: web.Request) -> web.Response:
        try:
            kind = PckCa(request.query.get("ca", ""))
        except ValueError:
            raise web.HTTPBadRequest(text="ca must be `platform` or `processor`") from None
        if kind is self._pki.platform.pck_ca:
            crl = self._now(Tee.TDX).pck_crl
        else:
            crl = revocation_list(self._pki.pck_cas[kind], (), self._terms().crl_valid or Window.around(self._clock()))
        chain = self._pki.pck_cas[kind].pem + self._pki.root.pem
        body = crl if request.query.get("encoding") == "der" else crl.hex().encode()
        return web.Response(body=body, headers={"SGX-PCK-CRL-Issuer-Chain": quote(chain, safe=""), "Content-Type": "application/pkix-crl"})

    async def _root_crl(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._now(Tee.TDX).root_ca_crl.hex())


def _signed(name: str, document: str, signature: bytes, header: str, chain: str) -> web.Response:
    """The document's bytes go out as they were signed."""
    text = f'{{"{name}":{document},"signature":"{signature.hex()}"}}'
    return web.Response(text=text, content_type="application/json", headers={header: quote(chain, safe="")})
