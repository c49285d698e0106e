import subprocess
import sys

SCRIPT = """
import ctypes, resource
from oracle.wiring.hardening import harden_process
harden_process()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
"""
"""3 is PR_GET_DUMPABLE."""


def test_a_hardened_process_leaves_no_core_and_is_not_looked_into():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split("\n")[-2] == "0 (0, 0)"
