import pytest

from oracle.guest.machine import machine_memory_bytes

MIB = 1024 * 1024


@pytest.fixture
def machine(tmp_path):
    """Takes what /proc/self/cgroup says and the limits in each group; gives the memory found."""

    def look(cgroup, limits):
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text(cgroup)
        for path, text in limits.items():
            file = tmp_path / "cgroup" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return machine_memory_bytes(tmp_path / "proc", tmp_path / "cgroup")

    return look


def test_without_a_limit_it_is_the_physical_memory(machine, tmp_path):
    told = int((tmp_path / "/proc/meminfo").read_text().split()[1]) * 1024
    assert machine("0::/\n", {"memory.max": "max\n"}) == told


@pytest.mark.parametrize("path", ["service/memory.max", "memory.max"])
def test_the_limit_of_our_control_group_or_of_one_above_it_counts(machine, path):
    assert machine("0::/service/worker\n", {"service/worker/memory.max": "max\n", path: f"{64 * MIB}\n"}) == 64 * MIB


def test_control_groups_of_version_1_count_too(machine):
    cgroup = "9:name=systemd:/\n4:memory:/box\n0::/\n"
    limits = {"memory/box/memory.limit_in_bytes": f"{32 * MIB}\n", "memory/memory.limit_in_bytes": "9223372036854771712\n"}
    assert machine(cgroup, limits) == 32 * MIB


def test_a_container_that_is_told_its_hosts_path_finds_its_limit_at_the_root(machine):
    assert machine("0::/kubepods/pod7/c9\n", {"memory.max": f"{48 * MIB}\n"}) == 48 * MIB
