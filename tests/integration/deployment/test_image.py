"""What the image is made of, as far as it can be made without a container engine: its wheel, its health check, its scripts."""

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BASE = "docker.io/library/python:3.11-slim-bookworm@sha256:" + "ab" * 32
EPOCH = "1760000000"
_BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z", "oracle", "localnet", "register"], cwd=ROOT, capture_output=True, check=True).stdout
    return [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def built_in(directory: Path) -> Path:
    """A wheel from a copy of what git tracks."""
    for name in [*tracked(), "pyproject.toml", "README.md", "LICENSE"]:
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _BUILD, str(directory / "dist")]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return directory / "dist" / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Two builds at different times, in directories of other names and depth."""
    return built_in(tmp_path_factory.mktemp("one")), built_in(tmp_path_factory.mktemp("two") / "deeper" / "still")


def test_the_wheel_has_the_same_bytes_in_every_directory(wheels):
    one, two = wheels
    assert one.read_bytes() == two.read_bytes()


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheels):
    with zipfile.ZipFile(wheels[0]) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert {info.date_time[:3] for info in archive.infolist()} == {(2025, 10, 9)}  # SOURCE_DATE_EPOCH
    assert names == {name for name in tracked() if not name.endswith((".md", ".gitignore"))}


def health_check(port: int) -> list[str]:
    """The Dockerfile's, with this interpreter and another port."""
    (words,) = re.findall(r"^    CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    _, *rest = json.loads(words)
    return [sys.executable, *(word.replace(":8070/", f":{port}/") for word in rest)]


@contextmanager
def answering(status: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": status if self.path == "/health" else "ok"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("trouble", 1)])
def test_the_health_check_believes_what_the_worker_says_of_itself(status, code):
    with answering(status) as port:
        assert subprocess.run(health_check(port), capture_output=True, timeout=60, check=False).returncode == code


def test_the_health_check_fails_where_nobody_answers():
    assert subprocess.run(health_check(1), capture_output=True, timeout=60, check=False).returncode != 0


def call(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ROOT / "scripts" / script), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_an_image_is_built_with_the_flags_that_make_its_bytes_the_same():
    done = call("build-image.sh", BASE, "--print")
    assert done.returncode == 0, done.stderr
    for flag in (
        "--no-cache",
        "--platform linux/amd64",
        "--provenance=false",
        "--sbom=false",
        f"BASE_IMAGE={BASE}",
        "rewrite-timestamp=true",
    ):
        assert flag in done.stdout
    epoch = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert f"SOURCE_DATE_EPOCH={epoch}" in done.stdout


@pytest.mark.parametrize("base", ["", "python:3.11", BASE[:-1], f"{BASE} --push"])
def test_a_base_image_without_its_digest_is_refused(base):
    done = call("build-image.sh", base, "--print")
    assert (done.returncode, done.stdout) == (1, "")
    assert "imagetools inspect" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [((), "wanted: registry/repository:tag"), (("me/worker",), "wanted:"), (("docker.io/me/worker:1", "/nonexistent.tar"), "not there")],
)
def test_a_push_without_name_or_archive_is_refused(arguments, told):
    done = call("push-image.sh", *arguments)
    assert (done.returncode, told in done.stderr) == (1, True)
