"""Known answers: what dstack 0.6.0 recorded of its own machine (tests/vectors/dstack), and machines of the simulator."""

import json
from pathlib import Path

import pytest
from phala.app_compose import Manifest, Terms, make
from phala.attested import Said, read_measurements
from phala.refused import Refused
from phala.rtmr3 import Identity, Named, Platform, after, recorded, replayed
from phala.template import Filled

from oracle.tee.eventlog import EventLog
from oracle.tee.simulator import AppCompose, Machine, MachineOptions, Simulator, SimulatorOptions
from oracle.tee.simulator.events import log_json

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/dstack/signed_quote.json").read_text())
RTMR3_HEX = "f28a1490ee924e9396c2ccf2d93ad536b83cbe159a1d45024d1fd7acdcc102145efcfcd0cfa209416446c70226affadf"
"""Info's answer of the recorded machine."""
INSTANCE_ID = bytes.fromhex("1691ed1b47506cad7d08834668691d88246f5b1f")


def an_app(*, instance_id: bool = False, text: str = "services: {}\n") -> Manifest:
    return make(Filled(text, ()), Terms("a", no_instance_id=not instance_id))


def a_machine(app: Manifest, **options: object) -> Machine:
    machine = MachineOptions(compose=AppCompose.from_text(app.text), **options)
    return Simulator(SimulatorOptions(seed="deployment", machine=machine)).machine


def a_quote_file(path: Path, machine: Machine) -> Path:
    path.write_text(json.dumps({"quote": machine.quote(b"").hex(), "event_log": log_json(machine.events)}))
    return path


@pytest.fixture
def vector_file(tmp_path):
    (tmp_path / "quote.json").write_text(json.dumps({"quote": VECTOR["quote_hex"], "event_log": VECTOR["event_log"]}))
    return tmp_path / "quote.json"


class _Recorded(Manifest):
    """The recorded machine's app: its text is not known, its hash is."""

    compose_hash = bytes.fromhex("c143116fef3940e7f776bfc0919c256232ae5338a6e948c96b711e0b2383483a")


def test_rtmr3_of_a_recorded_machine_follows_from_its_identity():
    log = EventLog.from_json(VECTOR["event_log"])
    provider = json.loads(next(event.payload for event in log.events if event.name == "key-provider"))
    platform = Platform(bytes.fromhex("e61be43dd1cc6a6f5edefd7c51b608983780839b0000ce60dd99737dcffe09b9"), provider["id"])
    identity = Identity(bytes.fromhex("5bb4ff9a3837357f19dc176407a5709c62eb6c56"), INSTANCE_ID)
    app = _Recorded("", {"kms_enabled": True, "storage_fs": "zfs"})
    assert replayed(recorded(app, identity, platform)).hex() == RTMR3_HEX


def test_the_answer_of_getquote_is_read_and_replays(vector_file):
    said = Said.from_file(vector_file)
    assert (said.rtmr3_hex, said.is_quoted) == (RTMR3_HEX, True)
    assert said.image_hex[0].startswith("e53236d44a07")


@pytest.mark.parametrize("instance_id", [False, True])
def test_a_machine_that_boots_later_measures_what_was_expected(tmp_path, instance_id):
    """From the events of a machine of another app; the simulator makes its own independently."""
    before = a_machine(an_app(text="other\n", instance_id=True))
    said = Said.from_file(a_quote_file(tmp_path / "before.json", before))
    app = an_app(instance_id=instance_id)
    later = a_machine(app)
    expected = replayed(after(said.log, app, Identity(instance_id=later.instance_id or None)))
    assert expected == later.measurements.rt_mr3
    assert tuple(map(bytes.fromhex, said.image_hex)) == (
        later.measurements.mr_td,
        later.measurements.rt_mr0,
        later.measurements.rt_mr1,
        later.measurements.rt_mr2,
    )


def test_with_no_instance_id_all_machines_measure_the_same():
    app = an_app()
    one, two = a_machine(app, instance_seed=b"1" * 20), a_machine(app, instance_seed=b"2" * 20)
    assert one.measurements == two.measurements
    assert a_machine(an_app(instance_id=True), instance_seed=b"1" * 20).measurements.rt_mr3 != one.measurements.rt_mr3


def test_an_app_id_that_the_platform_gave_stays_with_the_app(tmp_path):
    before = a_machine(an_app(text="old\n"), app_id=b"\7" * 20)
    said = Said.from_file(a_quote_file(tmp_path / "before.json", before))
    app = an_app(text="new\n")
    assert replayed(after(said.log, app, Identity())) == a_machine(app, app_id=b"\7" * 20).measurements.rt_mr3


def test_what_an_app_emitted_after_it_was_ready_is_not_expected(tmp_path):
    machine = a_machine(an_app())
    machine.emit("hello", b"x")
    said = Said.from_file(a_quote_file(tmp_path / "before.json", machine))
    assert replayed(after(said.log, an_app(), Identity())) == a_machine(an_app()).measurements.rt_mr3 != machine.measurements.rt_mr3


def test_an_instance_id_that_nobody_knows_is_asked_for(tmp_path):
    said = Said.from_file(a_quote_file(tmp_path / "before.json", a_machine(an_app(text="other\n", instance_id=True))))
    with pytest.raises(Refused, match="no_instance_id"):
        after(said.log, an_app(instance_id=True), Identity())


def test_what_is_measured_and_not_known_is_asked_for():
    with pytest.raises(Refused, match="--os-image-hash"):
        recorded(an_app(), Identity(), Platform())
    with pytest.raises(Refused, match="--key-provider-id"):
        recorded(an_app(), Identity(), Platform(os_image_hash=bytes(32)))


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([Named("app-id", bytes(20))], "system-ready"),
        ([Named("init-script-hash", bytes(32)), Named("system-ready", b"")], "init-script-hash"),
        ([Named("key-provider", b'{"name":"tpm","id":""}'), Named("system-ready", b"")], "key provider is kms"),
    ],
)
def test_a_machine_that_tells_nothing_of_ours_is_refused(events, told):
    entries = [{"imr": 3, "event_type": 0x08000001, "event": event.name, "event_payload": event.payload.hex()} for event in events]
    with pytest.raises(Refused, match=told):
        after(EventLog.from_json(json.dumps(entries)), an_app(), Identity())


def test_info_is_read_and_has_to_replay(tmp_path):
    machine = a_machine(an_app())
    of = machine.measurements
    told = {"mrtd": of.mr_td, "rtmr0": of.rt_mr0, "rtmr1": of.rt_mr1, "rtmr2": of.rt_mr2, "rtmr3": of.rt_mr3}
    info = {name: value.hex() for name, value in told.items()} | {"event_log": json.loads(log_json(machine.events))}
    path = tmp_path / "info.json"
    path.write_text(json.dumps({"tcb_info": json.dumps(info)}))
    assert (Said.from_file(path).rtmr3_hex, Said.from_file(path).is_quoted) == (of.rt_mr3.hex(), False)
    path.write_text(json.dumps({"tcb_info": info | {"rtmr3": "00" * 48}}))
    with pytest.raises(Refused, match="replays to rtmr3"):
        Said.from_file(path)


def test_what_dstack_mr_prints_is_read_without_an_app(tmp_path):
    (tmp_path / "mr.json").write_text(json.dumps(dict.fromkeys(("mrtd", "rtmr0", "rtmr1", "rtmr2"), "ab" * 48) | {"mr_image": "cd" * 32}))
    said = Said.from_file(tmp_path / "mr.json")
    assert (said.image_hex, said.rtmr3_hex, said.log) == (("ab" * 48,) * 4, None, None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"quote": "00"}', '{"mrtd": 1, "rtmr0": 2, "rtmr1": 3, "rtmr2": 4}', "[" * 100_000])
def test_a_file_of_another_shape_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Refused, match=r"a\.json"):
        Said.from_file(tmp_path / "a.json")


def test_a_quote_whose_log_was_touched_is_refused(tmp_path, vector_file):
    fields = json.loads(vector_file.read_text())
    log = [event for event in json.loads(fields["event_log"]) if event["event"] != "compose-hash"]
    vector_file.write_text(json.dumps(fields | {"event_log": json.dumps(log)}))
    with pytest.raises(Refused, match="replays to rtmr3"):
        Said.from_file(vector_file)


def test_five_measurements_are_read_from_what_was_written(tmp_path):
    values = {name: f"{index:02d}" * 48 for index, name in enumerate(("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"))}
    path = tmp_path / "m.json"
    for content in (values, {"measurements": values}, {name: f"0x{value.upper()}" for name, value in values.items()}):
        path.write_text(json.dumps(content))
        assert read_measurements(path).hex_fields() == values
    path.write_text(json.dumps(values | {"rtmr2": "ab"}))
    with pytest.raises(Refused, match="rtmr2 is missing or not 96 hex digits"):
        read_measurements(path)
