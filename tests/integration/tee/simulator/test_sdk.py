"""The published dstack SDK, unmodified, with both of its clients."""

import asyncio
import json
import time
import warnings

import dcap_qvl
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dstack_sdk import AsyncDstackClient, DstackClient, TappdClient
from eth_keys.datatypes import PrivateKey

from oracle.settings import Listen
from oracle.tee.simulator import SimulatorOptions
from oracle.tee.simulator.simulator import Simulator

NOW_S = int(time.time())


@pytest.fixture
async def sdk(simulator):
    async with AsyncDstackClient(str(simulator.socket_path)) as client:
        yield client


@pytest.fixture
async def tappd(simulator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the SDK says of the whole client that it is old
        client = TappdClient(str(simulator.socket_path))
        yield lambda call: asyncio.to_thread(call, client)
        await asyncio.to_thread(client.async_client._get_sync_client().close)


async def test_a_quote_from_the_sdk_verifies_with_collateral_from_the_service(simulator, sdk):
    quote = (await sdk.get_quote(b"hello")).decode_quote()
    collateral = await dcap_qvl.get_collateral(simulator.pccs_url, quote)
    verified = dcap_qvl.verify_with_root_ca(quote, collateral, simulator.root_der, NOW_S)
    assert verified.status == "UpToDate"
    with pytest.raises(ValueError, match="Verification failed"):
        dcap_qvl.verify(quote, collateral, NOW_S)
    changed = bytearray(quote)
    changed[600] ^= 1
    with pytest.raises(ValueError, match="ISV enclave report signature is invalid"):
        dcap_qvl.verify_with_root_ca(bytes(changed), collateral, simulator.root_der, NOW_S)


async def test_the_service_hands_out_what_the_simulator_says(simulator):
    fetched = await dcap_qvl.get_collateral(simulator.pccs_url, simulator.quote(b""))
    issued_s = int(time.time())
    assert any(
        all(
            getattr(fetched, name) == getattr(simulator.collateral(second), name)
            for name in ("tcb_info_issuer_chain", "qe_identity_issuer_chain", "pck_crl_issuer_chain", "tcb_info", "tcb_info_signature")
        )
        for second in range(NOW_S - 2, issued_s + 1)
    )


async def test_the_registers_of_a_quote_are_what_its_log_replays_to(sdk):
    answer = await sdk.get_quote(b"x")
    report = dcap_qvl.Quote.parse(answer.decode_quote()).report
    assert {n: mr.hex() for n, mr in enumerate((report.rt_mr0, report.rt_mr1, report.rt_mr2, report.rt_mr3))} == answer.replay_rtmrs()
    assert bytes.fromhex(answer.report_data) == report.report_data == b"x".ljust(64, b"\0")


async def test_info_tells_what_the_quote_measures(simulator, sdk):
    info, report = await sdk.info(), dcap_qvl.Quote.parse(simulator.quote(b"")).report
    tcb = info.tcb_info
    assert (tcb.mrtd, tcb.rtmr0, tcb.rtmr3) == (report.mr_td.hex(), report.rt_mr0.hex(), report.rt_mr3.hex())
    assert info.compose_hash == tcb.compose_hash == report.mr_config_id[1:33].hex()
    assert info.app_id == info.compose_hash[:40]
    assert json.loads(info.vm_config)["os_image_hash"] == info.os_image_hash
    assert tcb.app_compose == simulator.machine.options.compose.text


async def test_an_emitted_event_is_in_the_next_quote(sdk):
    before = await sdk.get_quote(b"x")
    await sdk.emit_event("mine", b"payload")
    after = await sdk.get_quote(b"x")
    assert [event.event for event in after.decode_event_log()][-1] == "mine"
    assert after.replay_rtmrs()[3] == dcap_qvl.Quote.parse(after.decode_quote()).report.rt_mr3.hex() != before.replay_rtmrs()[3]


async def test_keys_are_the_same_whenever_they_are_asked_for(sdk):
    one, two = await sdk.get_key("path", "purpose"), await sdk.get_key("path", "another")
    assert one.decode_key() == two.decode_key() != (await sdk.get_key("path/2")).decode_key()
    assert PrivateKey(one.decode_key())
    assert [len(signature) for signature in one.decode_signature_chain()] == [65, 65]
    assert len((await sdk.get_key("path", algorithm="ed25519")).decode_key()) == 32


@pytest.mark.parametrize("algorithm", ["ed25519", "secp256k1", "secp256k1_prehashed"])
async def test_signatures_are_verified_by_the_agent(sdk, algorithm):
    signed = await sdk.sign(algorithm, b"d" * 32)
    assert (await sdk.verify(algorithm, b"d" * 32, signed.decode_signature(), signed.decode_public_key())).valid
    assert not (await sdk.verify(algorithm, b"e" * 32, signed.decode_signature(), signed.decode_public_key())).valid


async def test_a_tls_key_comes_with_a_chain_that_holds(sdk):
    answer = await sdk.get_tls_key("app.example", ["app.example", "10.0.0.1"], usage_client_auth=True, not_before=1, not_after=NOW_S)
    leaf, root = (x509.load_pem_x509_certificate(pem.encode()) for pem in answer.certificate_chain)
    leaf.verify_directly_issued_by(root)
    assert load_pem_private_key(answer.key.encode(), None).public_key() == leaf.public_key()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["app.example", "10.0.0.1"]
    assert int(leaf.not_valid_after_utc.timestamp()) == NOW_S


async def test_an_ra_tls_certificate_carries_a_quote_over_its_key(simulator, sdk):
    answer = await sdk.get_tls_key("app.example", usage_ra_tls=True)
    leaf = x509.load_pem_x509_certificate(answer.certificate_chain[0].encode())
    extension = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.62397.1.8")).value.value
    start = extension.index(b"\x04\x00\x02\x00\x81")
    quote = extension[start : start + len(simulator.quote(b""))]
    collateral = simulator.collateral().as_dcap()
    assert dcap_qvl.verify_with_root_ca(quote, collateral, simulator.root_der, NOW_S).status == "UpToDate"


async def test_the_03_client_is_answered(simulator, tappd):
    raw = await tappd(lambda client: client.tdx_quote(b"x", "raw"))
    assert dcap_qvl.Quote.parse(raw.decode_quote()).report.report_data == b"x".rjust(64, b"\0")  # the SDK fills up on the left
    hashed = await tappd(lambda client: client.tdx_quote(b"x", "sha512"))
    assert hashed.replay_rtmrs()[3] == dcap_qvl.Quote.parse(hashed.decode_quote()).report.rt_mr3.hex()
    one, two = [await tappd(lambda client: client.derive_key("path")) for _ in range(2)]
    assert one.key == two.key
    assert (await tappd(lambda client: client.info())).app_id == simulator.machine.app_id.hex()


async def test_the_sdk_finds_the_simulator_by_its_variable(simulator, monkeypatch):
    monkeypatch.setenv("DSTACK_SIMULATOR_ENDPOINT", str(simulator.socket_path))
    client = DstackClient()
    assert await asyncio.to_thread(lambda: client.version().version) == "0.6.0"
    client.async_client._get_sync_client().close()


async def test_a_port_answers_as_the_socket_does():
    async with Simulator(SimulatorOptions(listen=Listen("127.0.0.1", 0))) as simulator, AsyncDstackClient(simulator.url) as client:
        assert (await client.info()).app_id == simulator.machine.app_id.hex()


async def test_the_sdk_sees_refusals_as_http_400(sdk):
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await sdk.get_key("path", algorithm="rsa")
