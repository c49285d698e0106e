import base64

import dcap_qvl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.errors import EvidenceRefused
from oracle.model import QuoteKind
from oracle.tee.quote import MAX_QUOTE_BYTES, PCK_CHAIN, parse_quote, read_quote
from oracle.tee.simulator import Simulator, SimulatorOptions, TdQuoteVersion, TdReport
from tests.unit.oracle.tee.samples import sample_file, sample_quote


def test_a_real_tdx_quote_says_what_dcap_qvl_reads_in_it():
    raw = sample_quote("tdx")
    mine, theirs = parse_quote(raw).report, dcap_qvl.Quote.parse(raw).report
    assert (mine.kind, mine.version, mine.debug, mine.sgx) == (QuoteKind.TDX, 4, False, None)
    assert mine.report_data == theirs.report_data
    assert mine.measurements.registers() == (theirs.mr_td, theirs.rt_mr0, theirs.rt_mr1, theirs.rt_mr2, theirs.rt_mr3)
    for name in ("tee_tcb_svn", "mr_seam", "mr_signer_seam", "seam_attributes", "td_attributes", "xfam", "mr_config_id", "mr_owner"):
        assert getattr(mine.tdx, name) == getattr(theirs, name), name
    assert mine.tdx.mr_owner_config == theirs.mr_owner_config


def test_a_real_sgx_quote_says_what_dcap_qvl_reads_in_it():
    raw = sample_quote("sgx")
    mine, theirs = parse_quote(raw).report, dcap_qvl.Quote.parse(raw).report
    assert (mine.kind, mine.version, mine.debug, mine.measurements) == (QuoteKind.SGX, 3, False, None)
    assert mine.report_data == theirs.report_data == b"Hello, world!".ljust(64, b"\0")
    for name in ("cpu_svn", "attributes", "mr_enclave", "mr_signer"):
        assert getattr(mine.sgx, name) == getattr(theirs, name), name
    assert (mine.sgx.isv_prod_id, mine.sgx.isv_svn) == (0, 0)


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_a_real_quote_carries_its_pck_chain(kind):
    quote = parse_quote(sample_quote(kind))
    assert quote.certification_kind == PCK_CHAIN
    assert quote.certification.count(b"-----BEGIN CERTIFICATE-----") == 3
    assert quote.signed == sample_quote(kind)[: quote.signed_bytes]


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_a_quote_comes_raw_or_as_hex_or_as_base64(kind):
    file, wanted = sample_file(kind), sample_quote(kind)
    for given_as in (
        file,
        file.hex(),
        "0x" + file.hex().upper(),
        file.hex().encode() + b"\n",
        base64.b64encode(file),
        base64.encodebytes(file).decode(),
    ):
        assert read_quote(given_as) == wanted


def test_zeros_behind_a_quote_are_cut_off_and_anything_else_is_refused():
    file = sample_file("tdx")
    assert file == sample_quote("tdx") + bytes(70)
    with pytest.raises(EvidenceRefused, match="70 bytes follow the quote"):
        parse_quote(file)
    with pytest.raises(EvidenceRefused, match="71 bytes follow the quote"):
        parse_quote(read_quote(file + b"\1"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "ends early"), ("no quote!", "neither raw"), ("abc", "neither raw"), ("00" * (2 * MAX_QUOTE_BYTES), "bytes; at most 32,768")],
)
def test_what_is_no_quote_is_refused(text, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        parse_quote(read_quote(text))


@pytest.mark.parametrize(
    ("at", "byte", "reason"),
    [
        (0, 6, "version 6; 3"),
        (0, 3, "version 3 says TEE type 0x81; SGX"),
        (2, 3, "attestation key type 3"),
        (4, 0, "TEE type 0x0; TDX"),
        (632, 0, "follow the quote"),
        (635, 1, "needs 16,781,516 bytes"),
        (764, 5, "kind 5; 6 belongs"),
        (766, 0, "follow the signature data"),
        (1218, 0, "the certification data needs"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name(at, byte, reason):
    raw = bytearray(sample_quote("tdx"))
    raw[at] = byte
    with pytest.raises(EvidenceRefused, match=reason):
        parse_quote(bytes(raw))


@pytest.mark.parametrize(
    ("at", "byte", "seen"), [(48, 1, "type 1 with 648"), (48, 4, "type 4 with 648"), (50, 0, "type 3 with 512"), (53, 1, "type 3")]
)
def test_a_report_of_version_5_has_the_size_of_its_type(at, byte, seen):
    simulator = Simulator(SimulatorOptions(seed="quote"))
    raw = bytearray(simulator.quoter.td_quote(TdReport(simulator.machine.measurements, bytes(64)), TdQuoteVersion.V5))
    assert parse_quote(bytes(raw)).report.version == 5
    raw[at] = byte
    with pytest.raises(EvidenceRefused, match=f"says a report of {seen}"):
        parse_quote(bytes(raw))


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
def test_every_truncation_is_refused(kind):
    raw = sample_quote(kind)
    for length in range(len(raw)):
        with pytest.raises(EvidenceRefused):
            parse_quote(raw[:length])


@given(st.binary(max_size=1_000))
@settings(max_examples=200)
def test_random_bytes_are_read_or_refused_but_never_crash(raw):
    with pytest.raises(EvidenceRefused):
        parse_quote(read_quote(raw))


@pytest.mark.parametrize("bit", range(8))
def test_each_bit_under_which_a_machine_is_not_to_be_trusted_is_debug(bit):
    raw = bytearray(sample_quote("tdx"))
    raw[48 + 120] = 1 << bit  # TDATTRIBUTES, bits 0 to 7: TUD
    assert not parse_quote(sample_quote("tdx")).report.debug
    assert parse_quote(bytes(raw)).report.debug
