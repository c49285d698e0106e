"""What must not register: quotes of another key, place, time, software or platform, and quotes that were tampered with."""

from dataclasses import replace

import pytest

from localnet import NEAR, KeyPair
from localnet.values import base58
from oracle.tee.simulator.collateral import CollateralTerms, Revocable
from oracle.tee.simulator.hardware import Platform
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.quotes import Quoter, TdQuoteVersion
from oracle.tee.simulator.reports import TD_ATTRIBUTES_DEBUG, TdReport
from oracle.tee.simulator.tcb import OUT_OF_DATE, TcbStatus, Verdict
from tests.acceptance.contract.register.register_stage import (
    APPROVED,
    MINUTE_S,
    NS,
    WORKER,
    hex_of,
    pki_of,
    report_data,
)
from tests.acceptance.contract.register.samples import SGX_QUOTE

OTHER = KeyPair.from_seed("another worker's key")
SIGNED_BYTES = 632
"""Header and TD report of a quote of version 4."""


def test_a_quote_of_another_key_is_refused_with_both(register):
    why = register.refusal(OTHER, quote=register.quote(WORKER))
    assert f"begins with {WORKER.public_key.raw.hex()}, and the key is {OTHER.public_key.raw.hex()}" in why


@pytest.mark.parametrize("binding", [{"register": "other.test.near"}, {"main": "other.test.near"}, {"settings": b"x" * 32}])
def test_a_quote_for_other_accounts_or_settings_is_refused(register, binding):
    quote = register.quote(report_data=report_data(WORKER, register.now_ns, **binding))
    assert "made for other accounts, another time or other settings" in register.refusal(quote=quote)


def test_a_quote_of_another_time_than_the_one_named_is_refused(register):
    quote = register.quote(seen_ns=register.now_ns - 1)
    assert "made for other accounts, another time or other settings" in register.refusal(quote=quote, seen_ns=register.now_ns)


def test_a_quote_is_fresh_for_ten_minutes(register):
    seen_ns = register.now_ns
    register.later(10 * MINUTE_S + 1)
    assert "at most 600 s are taken: make a fresh quote" in register.refusal(seen_ns=seen_ns)
    register.register(seen_ns=register.now_ns - 10 * MINUTE_S * NS + 1_000)


def test_a_time_that_has_not_come_is_refused(register):
    assert "ahead of this block" in register.refusal(seen_ns=register.now_ns + NS)


def test_without_a_time_nothing_is_fresh(register):
    args = register.registration()
    del args["seen_block_time"]
    assert "seen_block_time is missing" in register.refused("init", "register_worker_key", args, deposit=NEAR)


def test_a_registration_cannot_be_replayed(register):
    seen_ns = register.now_ns
    quote = register.quote(seen_ns=seen_ns)
    register.register(quote=quote, seen_ns=seen_ns)
    assert "a renewal needs a newer quote" in register.refusal(quote=quote, seen_ns=seen_ns)
    register.register(seen_ns=seen_ns + 1)
    assert "a renewal needs a newer quote" in register.refusal(quote=quote, seen_ns=seen_ns)


@pytest.mark.parametrize("name", ["mr_td", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3"])
def test_each_of_the_five_measurements_must_be_the_approved_one(register, name):
    other = replace(APPROVED, **{name: b"\xee" * 48})
    why = register.refusal(measurements=other)
    assert "these measurements are not approved" in why
    assert all(f"{field}={value}" in why for field, value in hex_of(other).items())
    assert "the owner owner.test.near approves them with add_approved_measurements" in why


def test_a_td_under_debug_is_refused(register):
    assert "Debug mode is enabled" in register.refusal(td_attributes=TD_ATTRIBUTES_DEBUG)


def test_a_td_bound_to_a_service_td_is_refused(register):
    assert "does not verify" in register.refusal(version=TdQuoteVersion.V5, mr_service_td=b"\x01" * 48)


@pytest.mark.parametrize("version", [0, 3, 6, 65535])
def test_a_quote_of_an_unknown_version_is_refused(register, version):
    quote = version.to_bytes(2, "little").hex() + register.quote()[4:]
    assert f"the quote has version {version}, and 4 and 5 are known" in register.refusal(quote=quote)


def test_a_quote_of_another_root_is_refused(register):
    secrets = Secrets.from_text("somebody else")
    report = TdReport(APPROVED, report_data(WORKER, register.now_ns))
    quote = Quoter(secrets, pki_of(Platform(), secrets)).td_quote(report).hex()
    assert "does not verify: Failed to verify certificate chain" in register.refusal(quote=quote)


def test_a_platform_below_every_level_is_refused(register):
    weak = replace(Platform(), pce_svn=3)
    assert "does not verify" in register.refusal(platform=weak)


def test_a_platform_that_is_out_of_date_is_refused_until_the_policy_takes_it(register):
    old = CollateralTerms(verdict=OUT_OF_DATE)
    register.call("owner", "update_collateral", {"collateral": register.collateral(old)}, deposit=NEAR)
    why = register.refusal()
    assert "the platform's TCB status is OutOfDate (advisories: INTEL-SA-00837), and the policy accepts UpToDate" in why
    register.call("owner", "set_policy", {"accepted_tcb_statuses": ["UpToDate", "OutOfDate"]})
    assert "the advisory INTEL-SA-00837 applies to the platform (status OutOfDate)" in register.refusal()
    register.call("owner", "set_policy", {"accepted_advisories": ["INTEL-SA-00837"]})
    assert register.register()
    worker = register.worker()
    assert (worker["tcb_status"], worker["advisory_ids"]) == ("OutOfDate", ["INTEL-SA-00837"])


def test_a_revoked_platform_is_refused_under_every_policy(register):
    terms = CollateralTerms(verdict=Verdict(TcbStatus.REVOKED))
    register.call("owner", "update_collateral", {"collateral": register.collateral(terms)}, deposit=NEAR)
    assert "TCB status is invalid: Revoked" in register.refusal()


@pytest.mark.parametrize("revoked", Revocable)
def test_a_revoked_certificate_is_refused(register, revoked):
    terms = CollateralTerms(revoked=frozenset({revoked}))
    register.call("owner", "update_collateral", {"collateral": register.collateral(terms)}, deposit=NEAR)
    assert "does not verify" in register.refusal()


# One byte of every class that a quote is made of; the offsets are those of a quote of version 4.
CLASSES = {
    "version": 0,
    "attestation key type": 2,
    "TEE type": 4,
    "vendor": 12,
    "user data": 28,
    "TEE TCB SVN": 48,
    "MRSEAM": 64,
    "TD attributes": 168,
    "XFAM": 176,
    "MRTD": 184,
    "MRCONFIGID": 232,
    "RTMR3": 519,
    "report data, key": 568,
    "report data, context": 600,
    "length of the signature data": 632,
    "signature": 636,
    "attestation key": 700,
    "certification type": 764,
    "length of the certification data": 766,
    "QE report": 770,
    "QE report data": 770 + 320,
    "QE report signature": 770 + 384,
    "length of the QE authentication data": 770 + 448,
    "QE authentication data": 770 + 450,
    "type of the PCK certificates": 770 + 482,
    "length of the PCK certificates": 770 + 484,
    "PCK certificate": 770 + 488 + 300,
}


@pytest.mark.parametrize("offset", CLASSES.values(), ids=CLASSES)
def test_a_quote_with_a_byte_changed_is_refused(register, offset):
    quote = bytearray.fromhex(register.quote())
    quote[offset] ^= 0x01
    register.refusal(quote=quote.hex())


@pytest.mark.parametrize("left", [0, 1, 47, 100, SIGNED_BYTES, SIGNED_BYTES + 4, 900, -1])
def test_a_quote_cut_short_is_refused_by_the_part_that_is_missing(register, left):
    quote = bytes.fromhex(register.quote())[:left].hex()
    assert "the quote is cut short" in register.refusal(quote=quote)


def test_bytes_after_the_quote_are_refused(register):
    assert "1 bytes trail after the quote" in register.refusal(quote=register.quote() + "00")


def test_bytes_hidden_within_the_lengths_of_a_quote_are_refused(register):
    whole = bytes.fromhex(register.quote())
    signature_data = whole[SIGNED_BYTES + 4 :] + b"\0"
    padded = whole[:SIGNED_BYTES] + len(signature_data).to_bytes(4, "little") + signature_data
    assert "1 bytes trail after the signature data" in register.refusal(quote=padded.hex())


NO_QUOTES = [("", "cut short"), ("0", "not written in hex"), ("zz", "not written in hex"), ("00" * 16_385, "16385 bytes long")]


@pytest.mark.parametrize(("quote", "why"), NO_QUOTES, ids=["empty", "half a byte", "no hex", "too long"])
def test_what_is_no_quote_is_refused(register, quote, why):
    args = register.registration() | {"tdx_quote_hex": quote}
    assert why in register.refused("init", "register_worker_key", args, deposit=NEAR)


@pytest.mark.parametrize("settings", ["", "00", "zz" * 32, "00" * 33])
def test_settings_are_named_by_a_sha256(register, settings):
    args = register.registration() | {"settings_sha256_hex": settings}
    assert "it must be 64 hex digits" in register.refused("init", "register_worker_key", args, deposit=NEAR)


def test_a_key_of_another_curve_is_refused(register):
    args = register.registration() | {"public_key": f"secp256k1:{base58.encode(bytes(range(1, 65)))}"}
    assert "not of the curve ed25519" in register.refused("init", "register_worker_key", args, deposit=NEAR)


def test_an_sgx_quote_is_refused(register):
    assert "of TEE type 0, and only TDX (129) registers" in register.refusal(quote=SGX_QUOTE.hex())
