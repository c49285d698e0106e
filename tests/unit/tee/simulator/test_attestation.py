"""
dstack's envelope is written byte for byte as dstack writes it.

`dstack_attestation.bin` is `sdk/simulator/attestation.bin` of github.com/Dstack-TEE/dstack at commit 312dc605 (Apache-2.0).
"""

import json
from pathlib import Path

import dcap_qvl
import pytest

from oracle.tee.simulator.attestation import attestation, stripped
from oracle.tee.simulator.events import Event

HERE = Path(__file__).parent
FIXTURE = (HERE / "dstack_attestation.bin").read_bytes()
LOG = json.loads((HERE / "dstack_0_6_0.json").read_text())["info"]["tcb_info"]["event_log"]
EVENTS = tuple(
    Event(event["imr"], event["event_type"], bytes.fromhex(event["digest"]), event["event"], bytes.fromhex(event["event_payload"]))
    for event in LOG
)


def test_dstacks_fixture_is_written_again_byte_for_byte():
    quote = FIXTURE[4 : 4 + 5_010]
    assert dcap_qvl.Quote.parse(quote).header.version == 4
    config = FIXTURE[FIXTURE.rindex(b'{"kms_urls"') :].decode()
    assert attestation(quote, EVENTS, bytes(64), config) == FIXTURE


def test_a_certificate_carries_the_events_that_a_verifier_needs():
    kept = stripped(EVENTS)
    assert [event.name for event in kept if event.register == 3] == [event.name for event in EVENTS if event.register == 3]
    assert {event.digest for event in kept if event.register == 3} == {b""}
    assert [event.payload for event in kept if event.register != 3] == [b"ACPI DATA"] * 3


@pytest.mark.parametrize(("size", "length"), [(63, 1), (64, 2), (16_383, 2), (16_384, 4)])
def test_lengths_grow_with_what_they_count(size, length):
    whole = attestation(bytes(size), (), bytes(64), "")
    assert len(whole) == 2 + length + size + 1 + 1 + 64 + 1
