"""One simulated platform for all tests of a module: its keys follow from a word, so its bytes are the same in every run."""

import pytest

from oracle.tee.simulator.hardware import Platform
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.pki import make_pki
from oracle.tee.simulator.quotes import Quoter
from oracle.tee.simulator.reports import Measurements, TdReport


@pytest.fixture(scope="session")
def secrets():
    return Secrets.from_text("unit tests of the quote simulator")


@pytest.fixture(scope="session")
def pki(secrets):
    return make_pki(secrets, Platform())


@pytest.fixture(scope="session")
def quoter(secrets, pki):
    return Quoter(secrets, pki)


@pytest.fixture(scope="session")
def td_report():
    return TdReport(Measurements(*(bytes([n]) * 48 for n in range(1, 6))), report_data=bytes(range(64)), mr_config_id=b"\x09" * 48)
