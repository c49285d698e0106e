import hashlib
import os
from pathlib import Path

import pytest

from oracle.guest.shipped import shipped_guest, shipped_guests

ROOT = Path(__file__).parents[4]


def test_every_example_is_shipped_and_nothing_else():
    sources = {path.parent.name for path in (ROOT / "examples" / "guests").glob("*/main.c")}
    sources |= {path.parent.name for path in (ROOT / "examples" / "guests").glob("*/Cargo.toml")}
    sources |= {path.stem for path in (ROOT / "examples" / "guests" / "misbehaving").glob("*.c")}
    assert set(shipped_guests()) == sources


def test_checksums_are_those_of_the_files():
    directory = shipped_guest("echo").parent
    listed = dict(reversed(line.split("  ")) for line in (directory / "SHA256SUMS").read_text().splitlines())
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shipped_guests().values()}


def test_no_path_of_the_building_machine_is_inside():
    for path in shipped_guests().values():
        content = path.read_bytes()
        assert not any(trace in content for trace in (os.fsencode(ROOT), b"/home/", b"/usr/src", b".cargo", b"/tmp/"))


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError):
        shipped_guest("no_such_guest")
