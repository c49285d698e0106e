"""A bundle on its way out gets the collateral of its quote and the compose text, and goes without where they cannot be had."""

import hashlib
from dataclasses import replace

import pytest

from oracle.errors import TeeUnavailable
from oracle.model.receipt import ReceiptQuote
from oracle.ports import SystemClock
from oracle.tee.bundle import Bundle, BundleAttestation, read_bundle
from oracle.tee.collateral import Collateral
from oracle.tee.documents import HttpDocuments
from oracle.tee.dstack import Dstack
from oracle.tee.pccs import CollateralSource
from oracle.tee.receipt import receipt_bytes, receipt_report_data
from oracle.tee.root import Root
from oracle.tee.simulator import Simulator, SimulatorOptions
from oracle.testing.receipts import receipt
from oracle.wiring.receipts import Completing
from oracle.wiring.tee import Machine

RAW = receipt_bytes(receipt())


@pytest.fixture
async def machine(tmp_path):
    async with Simulator(SimulatorOptions(seed="receipts")) as simulator, HttpDocuments() as documents:
        root = Root.from_file(simulator.root_path)
        async with Dstack(str(simulator.socket_path)) as socket:
            yield Machine(socket, CollateralSource(simulator.pccs_url, documents, tmp_path, SystemClock(), root))


async def quoted_bundle(machine):
    found = await machine.socket.quote(receipt_report_data(RAW))
    return Bundle(RAW, bytes(64), attestation=BundleAttestation(ReceiptQuote(found.quote, found.event_log)))


async def test_a_quoted_bundle_gets_collateral_and_compose_text(machine):
    bundle = await Completing(machine)(await quoted_bundle(machine))
    assert read_bundle(bundle.to_json().encode()).attestation.app_compose == bundle.attestation.app_compose
    assert Collateral.from_json(bundle.attestation.collateral_json)
    compose_hash = hashlib.sha256(bundle.attestation.app_compose.encode()).hexdigest()
    assert compose_hash == (await machine.socket.info()).compose_hash


async def test_collateral_of_the_quotes_own_time_is_left_in_place(machine):
    bundle = await quoted_bundle(machine)
    bundle = replace(bundle, attestation=replace(bundle.attestation, collateral_json="{}"))
    assert (await Completing(machine)(bundle)).attestation.collateral_json == "{}"


async def test_bundles_that_strangers_fetch_ask_the_machine_once(machine):
    class Counting:
        asked = 0

        async def info(self):
            self.asked += 1
            return await machine.socket.info()

    socket = Counting()
    completing, bundle = Completing(Machine(socket, machine.collateral)), await quoted_bundle(machine)
    first = await completing(bundle)
    assert [await completing(bundle) for _ in range(3)] == [first] * 3
    assert socket.asked == 1


async def test_a_bundle_without_a_quote_stays_as_it_is(machine):
    bundle = Bundle(RAW, bytes(64))
    assert await Completing(machine)(bundle) == bundle


async def test_trouble_with_socket_or_service_leaves_out_what_they_would_tell(machine):
    class Down:
        async def for_quote(self, _raw):
            raise TeeUnavailable("nobody answers")

    bundle = await quoted_bundle(machine)
    assert await Completing(Machine(machine.socket, Down()))(bundle) == bundle
