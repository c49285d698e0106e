"""A machine measures and logs as dstack does; what was recorded from dstack's own simulator is the known answer."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import dcap_qvl
import pytest

from oracle.errors import ConfigurationError
from oracle.tee.simulator.compose import DEFAULT_COMPOSE, MAX_COMPOSE_BYTES, AppCompose
from oracle.tee.simulator.events import Event, log_json, replay, runtime_event
from oracle.tee.simulator.image import dstack_os
from oracle.tee.simulator.machine import MAX_APP_EVENTS, MAX_EVENT_PAYLOAD_BYTES, Machine, MachineOptions, MachineRefused
from oracle.tee.simulator.quotes import TdQuoteVersion

RECORDED = json.loads((Path(__file__).parent / "dstack_0_6_0.json").read_text())
TCB_INFO = RECORDED["info"]["tcb_info"]


def compose(**changed) -> AppCompose:
    return AppCompose.from_text(json.dumps(json.loads(DEFAULT_COMPOSE) | changed))


@pytest.fixture
def boot(secrets, quoter):
    def run(**options) -> Machine:
        return Machine(secrets, quoter, MachineOptions(**options))

    return run


def recorded_events() -> list[Event]:
    return [
        Event(event["imr"], event["event_type"], bytes.fromhex(event["digest"]), event["event"], bytes.fromhex(event["event_payload"]))
        for event in TCB_INFO["event_log"]
    ]


@pytest.mark.parametrize("register", range(4))
def test_replay_gives_the_recorded_registers(register):
    assert replay(recorded_events(), register).hex() == TCB_INFO[f"rtmr{register}"]


def test_runtime_events_have_the_recorded_digests():
    runtime = [event for event in recorded_events() if event.register == 3]
    assert len(runtime) == 9
    assert [runtime_event(event.name, event.payload) for event in runtime] == runtime


def test_the_log_is_written_as_recorded():
    assert log_json(recorded_events()) == RECORDED["quote"]["event_log"]


def test_a_machine_boots_with_the_recorded_events_in_their_order(boot):
    ours, theirs = boot().events, recorded_events()
    assert [(event.register, event.event_type, event.name) for event in ours] == [
        (event.register, event.event_type, event.name) for event in theirs
    ]
    assert ours[:24] == tuple(theirs[:24])


def test_the_registers_of_firmware_and_kernel_are_the_recorded_ones(boot):
    of = boot().measurements
    assert (of.mr_td.hex(), of.rt_mr0.hex(), of.rt_mr1.hex(), of.rt_mr2.hex()) == tuple(
        TCB_INFO[name] for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2")
    )


def test_the_sum_of_all_measurements_is_made_as_recorded(boot):
    machine = boot()
    quote = dcap_qvl.Quote.parse(bytes.fromhex(RECORDED["quote"]["quote"])).report
    machine.measurements = replace(machine.measurements, rt_mr3=bytes.fromhex(TCB_INFO["rtmr3"]))
    machine.mr_config_id = quote.mr_config_id
    assert machine.mr_aggregated.hex() == TCB_INFO["mr_aggregated"]


def test_the_configuration_id_is_made_as_recorded(boot):
    recorded = dcap_qvl.Quote.parse(bytes.fromhex(RECORDED["quote"]["quote"])).report.mr_config_id
    assert recorded == (b"\x01" + bytes.fromhex(TCB_INFO["compose_hash"])).ljust(48, b"\0")
    machine = boot()
    assert machine.mr_config_id == (b"\x01" + machine.options.compose.sha256).ljust(48, b"\0")


@pytest.mark.parametrize("version", TdQuoteVersion)
def test_a_quote_carries_what_the_log_replays_to(boot, version):
    machine = boot(quote_version=version)
    machine.emit("mine", b"payload")
    report = dcap_qvl.Quote.parse(machine.quote(b"data")).report
    assert [report.rt_mr0, report.rt_mr1, report.rt_mr2, report.rt_mr3] == [replay(machine.events, register) for register in range(4)]
    assert report.report_data == b"data".ljust(64, b"\0")


def test_the_compose_hash_is_the_sha256_of_the_files_bytes(boot, tmp_path):
    path = tmp_path / "app-compose.json"
    path.write_text('{ "name": "app" }\n')
    machine = boot(compose=AppCompose.from_file(path))
    expected = hashlib.sha256(path.read_bytes()).digest()
    assert next(event.payload for event in machine.events if event.name == "compose-hash") == expected
    assert machine.app_id == expected[:20]


def test_machines_of_one_app_differ_in_their_instance_alone(boot):
    one, two = boot(instance_seed=b"1" * 20), boot(instance_seed=b"2" * 20)
    assert one.app_id == two.app_id
    assert one.instance_id != two.instance_id
    assert one.measurements.rt_mr3 != two.measurements.rt_mr3


def test_without_instance_ids_all_machines_of_an_app_measure_the_same(boot):
    one, two = (boot(compose=compose(no_instance_id=True), instance_seed=seed * 20) for seed in (b"1", b"2"))
    assert one.instance_id == two.instance_id == b""
    assert one.measurements == two.measurements
    assert next(event.payload for event in one.events if event.name == "instance-id") == b""


@pytest.mark.parametrize(("provider", "name"), [("kms", "kms"), ("local", "local-sgx"), ("tpm", "tpm"), ("none", "none")])
def test_the_key_provider_is_named_in_the_log(boot, provider, name):
    machine = boot(compose=compose(key_provider=provider))
    told = json.loads(next(event.payload for event in machine.events if event.name == "key-provider"))
    assert (told["name"], bool(told["id"])) == (name, provider in {"kms", "local"})


@pytest.mark.parametrize(("changed", "name"), [({"storage_fs": "ext4"}, b"ext4"), ({"storage_fs": None}, b"zfs")], ids=repr)
def test_the_file_system_is_named_in_the_log(boot, changed, name):
    assert next(event.payload for event in boot(compose=compose(**changed)).events if event.name == "storage-fs") == name


def test_a_kms_is_known_by_a_public_key_as_recorded(boot):
    ours, theirs = json.loads(boot().key_provider_json), json.loads(RECORDED["info"]["key_provider_info"])
    assert list(ours) == list(theirs)
    assert len(ours["id"]) == len(theirs["id"])
    assert ours["id"][:54] == theirs["id"][:54]  # an EC key on P-256, its point uncompressed


def test_an_updated_app_keeps_the_id_it_was_given(boot):
    machine = boot(app_id=b"i" * 20)
    assert next(event.payload for event in machine.events if event.name == "app-id") == machine.app_id == b"i" * 20
    with pytest.raises(ValueError, match="20 bytes, not 19"):
        MachineOptions(app_id=b"i" * 19)


def test_another_image_has_other_measurements(boot):
    image = replace(dstack_os(), mr_td=b"\x07" * 48, boot_events=dstack_os().boot_events[:-1])
    assert boot(image=image).measurements.rt_mr1 != boot().measurements.rt_mr1


def test_an_event_of_the_app_extends_rtmr3_alone(boot):
    machine = boot()
    before = machine.measurements
    machine.emit("mine", b"x")
    assert machine.measurements == replace(before, rt_mr3=hashlib.sha384(before.rt_mr3 + runtime_event("mine", b"x").digest).digest())


@pytest.mark.parametrize(
    ("name", "payload"),
    [("", b""), ("n" * 129, b""), ("n", bytes(MAX_EVENT_PAYLOAD_BYTES + 1))],
    ids=["no name", "long name", "long payload"],
)
def test_an_event_beyond_the_limits_is_refused_and_changes_nothing(boot, name, payload):
    machine = boot()
    before = machine.measurements
    with pytest.raises(MachineRefused, match="bytes"):
        machine.emit(name, payload)
    assert machine.measurements == before


def test_the_log_does_not_grow_without_end(boot):
    machine = boot()
    for _ in range(MAX_APP_EVENTS):
        machine.emit("n", b"")
    with pytest.raises(MachineRefused, match="256"):
        machine.emit("n", b"")


def test_report_data_longer_than_64_bytes_is_refused_in_dstacks_words(boot):
    with pytest.raises(MachineRefused, match=r"^Report data is too long$"):
        boot().quote(bytes(65))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not dstack's app-compose JSON"),
        ("[]", "not dstack's app-compose JSON"),
        ('{"no_instance_id":"yes"}', "no_instance_id"),
        ('{"key_provider":"cloud"}', "key_provider"),
        (json.dumps({"name": "x" * MAX_COMPOSE_BYTES}), "262,144"),
    ],
    ids=["empty", "list", "text for a bool", "unknown provider", "too long"],
)
def test_what_is_no_compose_file_is_refused_with_its_reason(text, reason):
    with pytest.raises(ConfigurationError, match=reason):
        AppCompose.from_text(text)


def test_a_compose_file_that_cannot_be_read_is_refused_by_its_name(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nothing\.json cannot be read"):
        AppCompose.from_file(tmp_path / "nothing.json")
    (tmp_path / "latin.json").write_bytes(b'{"name":"\xe9"}')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        AppCompose.from_file(tmp_path / "latin.json")
