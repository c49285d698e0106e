"""What `pip install` would put on a machine."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of what git tracks: nothing of a working tree helps it along."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(bytes.decode, tracked)):
        if name.startswith(("oracle/", "localnet/", "register/", "pyproject", "README", "LICENSE")) and (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source)]
    subprocess.run(build, check=True)
    (built,) = out.glob("near_compute_oracle-*.whl")
    return built


def test_an_installed_wheel_has_contracts_guests_and_figures(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("outlayer", "register", "example_client", "registrar"):
        assert {f"localnet/contracts/{name}.wasm", f"localnet/contracts/{name}_abi.json"} <= names
    assert {"localnet/contracts/SHA256SUMS", "oracle/guests/SHA256SUMS", "oracle/guests/echo.wasm"} <= names
    assert {"localnet/near-parameters.json", "oracle/py.typed", "localnet/py.typed", "register/py.typed"} <= names
    assert "register/registrar.py" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "contracts/"))]


def test_the_demonstration_runs_from_the_wheel_alone(wheel, tmp_path):
    """Unpacked elsewhere, with the libraries of this environment: nothing of the checkout is reached."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    script = "import oracle, sys; assert oracle.__file__.startswith(sys.argv[1]); from oracle.cli import main; main(['demo', '--json'])"
    run = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert '"ok": true' in done.stdout.splitlines()[-1]
