"""
dstack's envelope is written byte for byte as dstack writes it.

The certificate was recorded from its simulator 0.6.0;
`dstack_attestation.bin` is `sdk/simulator/attestation.bin` of github.com/Dstack-TEE/dstack at commit 312dc605 (Apache-2.0).
"""

import hashlib
import json
from pathlib import Path

import dcap_qvl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oracle.tee.simulator.attestation import attestation, stripped
from oracle.tee.simulator.der import octets
from oracle.tee.simulator.events import Event

HERE = Path(__file__).parent
FIXTURE = (HERE / "dstack_attestation.bin").read_bytes()
INFO = json.loads((HERE / "dstack_0_6_0.json").read_text())["info"]
EVENTS = tuple(
    Event(event["imr"], event["event_type"], bytes.fromhex(event["digest"]), event["event"], bytes.fromhex(event["event_payload"]))
    for event in INFO["tcb_info"]["event_log"]
)


def test_dstacks_fixture_is_written_again_byte_for_byte():
    quote = FIXTURE[4 : 4 + 5_010]
    assert dcap_qvl.Quote.parse(quote).header.version == 4
    config = FIXTURE[FIXTURE.rindex(b'{"kms_urls"') :].decode()
    assert attestation(quote, EVENTS, bytes(64), config) == FIXTURE


def test_the_attestation_in_the_recorded_certificate_is_written_again_byte_for_byte():
    leaf = x509.load_pem_x509_certificate(INFO["app_cert"].encode())
    recorded = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.62397.1.8")).value.value
    content = recorded[4:]  # an OCTET STRING with two bytes of length
    spki = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    report_data = hashlib.sha512(b"ratls-cert:" + spki).digest()
    config = content[content.index(b'{"kms_urls"') :].decode()
    assert octets(attestation(content[4 : 4 + 5_010], stripped(EVENTS), report_data, config)) == recorded


def test_a_certificate_carries_the_events_that_a_verifier_needs():
    kept = stripped(EVENTS)
    assert [event.name for event in kept if event.register == 3] == [event.name for event in EVENTS if event.register == 3]
    assert {event.digest for event in kept if event.register == 3} == {b""}
    assert [event.payload for event in kept if event.register != 3] == [b"ACPI DATA"] * 3


@pytest.mark.parametrize(("size", "length"), [(63, 1), (64, 2), (16_383, 2), (16_384, 4)])
def test_lengths_grow_with_what_they_count(size, length):
    whole = attestation(bytes(size), (), bytes(64), "")
    assert len(whole) == 2 + length + size + 1 + 1 + 64 + 1
