"""The chain and the worker as processes of their own, started by their commands, stopped or killed."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_TIMEOUT_S = 60.0


def _clean_environment(**more):
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    return {**keep, "PYTHONUNBUFFERED": "1", **more}


class _Process:
    """A child with its output in a file, ended by its own process group."""

    def __init__(self, command, environment, log_file, cwd):
        self.command, self.environment, self.log_file, self.cwd = command, environment, Path(log_file), Path(cwd)
        self.process = None

    def spawn(self):
        """Start, without waiting until it serves."""
        log = self.log_file.open("ab")
        try:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.cwd, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        finally:
            log.close()

    def kill(self):
        """SIGKILL to the process itself: what it left behind must end by itself."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def stop(self, timeout_s=20.0):
        """SIGTERM, as a service manager does; returns the exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            raise AssertionError(f"did not stop within {timeout_s} s:\n{self.tail()}") from None
        self.process = None
        return code

    def tail(self, chars=4000):
        return self.log_file.read_text(errors="replace")[-chars:]

    def _wait(self, ready):
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.tail()}")
            found = ready()
            if found is not None:
                return found
            time.sleep(0.02)
        raise AssertionError(f"not ready after {START_TIMEOUT_S} s:\n{self.tail()}")


class ChainProcess(_Process):
    """`localnet run` on a directory; the port stays the same over restarts."""

    def __init__(self, home, block_time="instant", port=0):
        self.home, self.block_time, self.port = Path(home), block_time, port
        self.home.mkdir(parents=True, exist_ok=True)
        self.rpc_url = self.blocks_url = None
        super().__init__([], _clean_environment(), self.home.parent / f"{self.home.name}.log", self.home.parent)

    def start(self):
        self.command = [
            sys.executable, "-m", "localnet", "run", "--json",
            "--home", str(self.home), "--port", str(self.port), "--block-time", self.block_time,
        ]  # fmt: skip
        begin = self.log_file.stat().st_size if self.log_file.exists() else 0
        self.spawn()

        def listening():
            for line in self.log_file.read_text(errors="replace")[begin:].splitlines():
                if line.startswith(('{"event":"listening"', '{"event": "listening"')):
                    return json.loads(line)
            return None

        facts = self._wait(listening)
        self.rpc_url, self.blocks_url = facts["rpc_url"], facts["blocks_url"]
        self.port = int(self.rpc_url.rsplit(":", 1)[1].strip("/"))
        return self


class WorkerProcess(_Process):
    """`oracle run` with settings in its environment."""

    def __init__(self, home, settings):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        environment = _clean_environment(ORACLE_HOME=str(self.home), API_LISTEN="127.0.0.1:0", LOG_FORMAT="json", **settings)
        log_file = self.home.parent / f"{self.home.name}.log"
        super().__init__([sys.executable, "-m", "oracle", "run"], environment, log_file, self.home.parent)
        self.api_url = None

    def start(self):
        begin = self.log_file.stat().st_size if self.log_file.exists() else 0
        self.spawn()

        def listening():
            for line in self.log_file.read_text(errors="replace")[begin:].splitlines():
                if '"api_listening"' in line:
                    return json.loads(line)["url"]
            return None

        self.api_url = self._wait(listening)
        return self

    def get(self, path):
        with urllib.request.urlopen(self.api_url + path, timeout=10) as response:
            body = response.read()
        return json.loads(body) if response.headers.get_content_type() == "application/json" else body.decode()

    def health(self):
        """`/health`, also when it tells of trouble."""
        try:
            return self.get("/health")
        except urllib.error.HTTPError as error:
            with error:
                return json.loads(error.read())

    def tree(self):
        """Process ids of the worker and everything below it."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            try:
                queue += [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
            except OSError:
                continue
        return found

    def resident_bytes(self):
        """Proportional memory of the worker and its children (PSS: shared pages counted once)."""
        total = 0
        for pid in self.tree():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        return total
