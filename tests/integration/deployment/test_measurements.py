"""`scripts/expected-measurements.py` as it is called, with a machine of the simulator."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from oracle.tee.simulator import AppCompose, MachineOptions, Simulator, SimulatorOptions
from oracle.tee.simulator.events import log_json

SCRIPT = Path(__file__).parents[3] / "scripts" / "expected-measurements.py"
APP = {"name": "a", "runner": "docker-compose", "kms_enabled": True, "no_instance_id": True, "storage_fs": "zfs"}


@pytest.fixture
def called(tmp_path):
    """Call it for one app and a machine that runs another; exit code, what it printed, and the machine."""

    def call(*, of: dict[str, object], running: dict[str, object], emits: bool = False):
        (tmp_path / "app-compose.json").write_text(json.dumps(of))
        options = SimulatorOptions(seed="measured", machine=MachineOptions(compose=AppCompose.from_text(json.dumps(running))))
        machine = Simulator(options).machine
        if emits:
            machine.emit("late", b"x")
        (tmp_path / "quote.json").write_text(json.dumps({"quote": machine.quote(b"").hex(), "event_log": log_json(machine.events)}))
        command = [sys.executable, str(SCRIPT), str(tmp_path / "app-compose.json"), "--like", str(tmp_path / "quote.json")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False), machine

    return call


def test_a_machine_that_runs_the_app_measured_what_is_expected(called):
    done, machine = called(of=APP, running=APP)
    assert done.returncode == 0, done.stderr
    assert "measured the same" in done.stderr
    of = machine.measurements
    values = (of.mr_td, of.rt_mr0, of.rt_mr1, of.rt_mr2, of.rt_mr3)
    assert list(json.loads(done.stdout).values()) == [value.hex() for value in values]


def test_for_another_app_than_the_machine_runs_rtmr3_alone_is_new(called):
    done, machine = called(of=APP | {"name": "b"}, running=APP)
    assert (done.returncode, "runs another app" in done.stderr) == (0, True)
    told = json.loads(done.stdout)
    assert told["rtmr2"] == machine.measurements.rt_mr2.hex()
    assert told["rtmr3"] != machine.measurements.rt_mr3.hex()


def test_a_machine_of_the_app_that_measured_more_is_told(called):
    done, _ = called(of=APP, running=APP, emits=True)
    assert done.returncode == 1
    assert "events of its own" in done.stderr
