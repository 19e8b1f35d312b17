"""A share of the processor for a family of processes, as a container's CPU limit gives it: by control groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

V1: Final = Path("/sys/fs/cgroup/cpu")
V2: Final = Path("/sys/fs/cgroup")
PERIOD_US: Final = 100_000
"""What Kubernetes uses: of every 100 ms the family runs for `cores` x 100 ms, then stands still."""


class NoQuota(Exception):
    """This machine lets no control group be made here; the text says why."""


@contextmanager
def cpu_quota(name: str, cores: float) -> Iterator[Path]:
    """A control group whose processes together get at most `cores` of processor time. Removed at the end.

    Raises:
        NoQuota: not root, or control groups are read only.
    """
    is_v1 = (V1 / "cgroup.procs").exists()
    group = (V1 if is_v1 else V2) / own_group("cpu" if is_v1 else "") / name
    try:
        group.mkdir()
        limit(group, cores)
    except OSError as error:
        raise NoQuota(f"{group}: {error.strerror}; a CPU limit needs root and writable control groups") from error
    try:
        yield group
    finally:
        outside = group.parent / "cgroup.procs"
        for number in (group / "cgroup.procs").read_text().split():
            outside.write_text(number)
        group.rmdir()


def limit(group: Path, cores: float) -> None:
    """Let a group have `cores` of processor time from now on."""
    quota = int(cores * PERIOD_US)
    if (group / "cpu.cfs_quota_us").exists():
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")


def own_group(controller: str) -> str:
    """Path of this process's control group below the mount of a controller ("" = version 2)."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.strip("/")
    return ""


def enter(group: Path, process: psutil.Process) -> None:
    """Put a process and all it has started into a group; what it starts later is born there."""
    for member in (process, *process.children(recursive=True)):
        (group / "cgroup.procs").write_text(str(member.pid))


def throttled(group: Path) -> tuple[int, int]:
    """Periods so far in which the group ran into its limit, and periods in which it wanted to run at all."""
    figures = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(figures["nr_throttled"]), int(figures["nr_periods"])


def cpu_seconds(*families: psutil.Process) -> float:
    """Processor time that processes and all they have started, and that still run, have had."""
    spent = 0.0
    for family in families:
        for process in (family, *family.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.Error:  # it has just ended
                continue
            spent += times.user + times.system
    return spent
