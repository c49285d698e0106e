"""What must not be in the tree: paths of a building machine, secrets, unfinished work."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name and (ROOT / name.decode()).is_file()]


def test_no_file_is_a_backup_a_key_or_build_output(tracked):
    bad = re.compile(r"(\.bak|\.orig|\.swp|~|\.pem|validator_key\.json|\.pyc|\.rlib|\.env)$|(^|/)(target|node_modules)/")
    assert [path for path in tracked if bad.search(str(path.relative_to(ROOT)))] == []


def test_every_wasm_is_listed_in_checksums_beside_it(tracked):
    unlisted = []
    for path in tracked:
        if path.suffix == ".wasm" and path.parts[-2] in {"contracts", "guests"}:
            sums = path.parent / "SHA256SUMS"
            if path.name not in sums.read_text():
                unlisted.append(path)
    assert unlisted == []
