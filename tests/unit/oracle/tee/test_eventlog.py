import hashlib
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from oracle.errors import EvidenceRefused
from oracle.model import AppIdentity, Measurements
from oracle.tee.collateral import Collateral
from oracle.tee.eventlog import MAX_EVENTS, EventLog
from oracle.tee.quote import parse_quote, read_quote
from oracle.tee.root import Root
from oracle.tee.verify import verify_quote

RECORDED = json.loads((Path(__file__).parents[3] / "vectors" / "dstack" / "signed_quote.json").read_text())
QUOTED = parse_quote(read_quote(RECORDED["quote_hex"])).report.measurements
COMPOSE_HASH = "c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a"


def events():
    return json.loads(RECORDED["event_log"])


def runtime(name, payload_hex, **more):
    return {"imr": 3, "event_type": 0x08000001, "digest": "", "event": name, "event_payload": payload_hex} | more


def log_of(entries):
    return EventLog.from_json(json.dumps(entries))


def quoting(log):
    """A quote's registers, were the machine to have this log."""
    return Measurements(QUOTED.mrtd, *log.replay())


def index_of(name):
    return next(index for index, entry in enumerate(events()) if entry["event"] == name)


def test_the_recorded_log_replays_to_the_registers_of_its_quote():
    log = EventLog.from_json(RECORDED["event_log"])
    assert log.replay() == QUOTED.registers()[1:]
    log.check_replays_to(QUOTED)


def test_the_recorded_quote_verifies_under_the_root_of_dstacks_simulator():
    root = Root(x509.load_pem_x509_certificate(RECORDED["root_ca_pem"].encode()).public_bytes(Encoding.DER))
    collateral = Collateral.from_json(json.dumps(RECORDED["collateral"]))
    verified = verify_quote(read_quote(RECORDED["quote_hex"]), collateral, 1_796_000_000, root)
    assert verified.report.report_data.hex() == RECORDED["report_data_hex"]
    assert (verified.tcb.status, verified.test_root) == ("UpToDate", True)


def test_the_recorded_log_names_the_application():
    identity = EventLog.from_json(RECORDED["event_log"]).app_identity(QUOTED)
    assert identity == AppIdentity(
        app_id="5bb4ff9a3837357f19dc176407a5709c62eb6c56",
        compose_hash=COMPOSE_HASH,
        instance_id="1691ed1b47506cad7d08834668691d88246f5b1f",
        os_image_hash="e61be43dd1cc6a6f5edefd7c51b608983780839b0000ce60dd99737dcffe09b9",
        key_provider_name="kms",
        key_provider_id=identity.key_provider_id,
    )
    assert identity.key_provider_id.startswith("3059301306072a8648ce3d0201")


def test_without_events_of_the_firmware_the_application_is_named_all_the_same():
    log = log_of([entry for entry in events() if entry["imr"] == 3])
    assert log.app_identity(QUOTED).compose_hash == COMPOSE_HASH


@pytest.mark.parametrize("index", range(len(events())))
def test_without_any_one_event_nothing_is_believed(index):
    with pytest.raises(EvidenceRefused, match="replays to rtmr"):
        log_of(events()[:index] + events()[index + 1 :]).app_identity(QUOTED)


@pytest.mark.parametrize("index", [index for index, entry in enumerate(events()) if entry["imr"] == 3])
def test_an_event_with_another_payload_is_refused_with_and_without_its_digest(index):
    changed = events()
    changed[index]["event_payload"] += "00"
    with pytest.raises(EvidenceRefused, match="its name and payload have"):
        log_of(changed)
    del changed[index]["digest"]
    with pytest.raises(EvidenceRefused, match="replays to rtmr3"):
        log_of(changed).app_identity(QUOTED)


@pytest.mark.parametrize("kept", [[], [entry for entry in events() if entry["imr"] != 3]])
def test_a_log_that_leaves_out_what_dstack_did_is_refused(kept):
    with pytest.raises(EvidenceRefused, match="replays to rtmr3 00000000"):
        log_of(kept).check_replays_to(QUOTED)


def test_events_in_another_order_are_refused():
    with pytest.raises(EvidenceRefused, match="replays to rtmr"):
        log_of(events()[::-1]).app_identity(QUOTED)


def test_what_the_application_writes_after_system_ready_names_nothing():
    theirs = [runtime("compose-hash", "aa" * 32), runtime("os-image-hash", "bb" * 32), runtime("with:colon", "")]
    log = log_of([*events(), *theirs])
    assert log.app_identity(quoting(log)).compose_hash == COMPOSE_HASH
    late = [entry for entry in events() if entry["event"] != "compose-hash"]
    log = log_of([*late, *theirs])
    with pytest.raises(EvidenceRefused, match="no event 'compose-hash' before 'system-ready'"):
        log.app_identity(quoting(log))


def test_the_first_event_of_a_name_counts_as_in_dstacks_verifier():
    entries = events()
    entries.insert(index_of("system-ready"), runtime("compose-hash", "aa" * 32))
    log = log_of(entries)
    assert log.app_identity(quoting(log)).compose_hash == COMPOSE_HASH


def test_a_name_that_swallows_a_part_of_the_payload_is_refused():
    # Both spellings have one digest: "app-id" ‖ ":" ‖ "x:y" and "app-id:x" ‖ ":" ‖ "y".
    honest, forged = runtime("app-id", b"x:y".hex()), runtime("app-id:x", b"y".hex())
    assert log_of([honest]).replay() == log_of([forged]).replay()
    log = log_of([forged, *(entry for entry in events() if entry["event"] != "app-id"), runtime("app-id", "aa" * 20)])
    with pytest.raises(EvidenceRefused, match="colon in its name"):
        log.app_identity(quoting(log))


def test_events_of_version_2_are_hashed_as_canonical_json():
    preimage = b'{"name":"compose-hash","payload":"abcd","type":134217729}'  # dstack, runtime_events.rs: v2_digest_is_canonical_json_hash
    digest = hashlib.sha384(preimage).digest()
    log = log_of([runtime("compose-hash", "abcd", version=2, preimage=preimage.hex(), digest=digest.hex())])
    assert log.replay()[3] == hashlib.sha384(bytes(48) + digest).digest()
    with pytest.raises(EvidenceRefused, match="version 3; 1 and 2"):
        log_of([runtime("compose-hash", "abcd", version=3)])


def test_a_machine_without_instance_id_or_key_provider_is_named_without():
    left_out = ("instance-id", "key-provider", "os-image-hash")
    log = log_of([entry for entry in events() if entry["event"] not in left_out])
    identity = log.app_identity(quoting(log))
    assert (identity.instance_id, identity.os_image_hash, identity.key_provider_name, identity.key_provider_id) == ("", None, "", "")


@pytest.mark.parametrize(
    ("name", "payload_hex", "reason"),
    [
        ("app-id", "aa", "'app-id' has 1 bytes; 20"),
        ("compose-hash", "aa" * 31, "'compose-hash' has 31 bytes; 32"),
        ("key-provider", b"kms".hex(), "key-provider"),
        ("key-provider", b"[1]".hex(), "key-provider"),
        ("key-provider", "ff", "key-provider"),
    ],
)
def test_an_identity_of_the_wrong_shape_is_refused(name, payload_hex, reason):
    log = log_of([runtime(name, payload_hex) if entry["event"] == name else entry for entry in events()])
    with pytest.raises(EvidenceRefused, match=reason):
        log.app_identity(quoting(log))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"imr": 4}, "'imr' from 0 to 3"),
        ({"imr": True}, "'imr'"),
        ({"imr": 0}, "of type 0x8000001 in register 0"),
        ({"event_type": 4}, "of type 0x4 in register 3"),
        ({"event_payload": "abc"}, "not hex"),
        ({"event": 7}, "no text 'event'"),
        ({"event": "n" * 300}, "has 300 characters"),
        ({"digest": "00" * 48}, "its name and payload have"),
        ({"imr": 1, "event_type": 4}, "digest of 0 bytes; 48"),
    ],
)
def test_an_event_that_cannot_be_is_refused(entry, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        log_of([runtime("app-id", "aa" * 20) | entry])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read"),
        ("{}", "no JSON array"),
        ("[1]", "event 0 of the event log is no JSON object"),
        ("[" * 50_000, "nested deeper"),
        ("[" + " " * 1_100_000 + "]", "at most 1048576"),
        (json.dumps([runtime("x", "")] * (MAX_EVENTS + 1)), "2,001 events; at most 2,000"),
        ('[{"imr":3,"imr":3}]', "twice"),
    ],
)
def test_what_is_no_log_or_too_large_is_refused(text, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        EventLog.from_json(text)
