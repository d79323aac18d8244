"""The machine: which core is whose, and what a process has used of it. Linux only."""

import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = {CORES[-1]}
# Where the load comes from, and Redis and PostgreSQL run.
OTHER_CORES = set(CORES[:-1])
TICKS = os.sysconf("SC_CLK_TCK")


def prepare() -> None:
    """Keep this process and its children off the server's core, and allow sockets."""
    if not OTHER_CORES:
        raise SystemExit("This needs two cores: one for the server, one for its load.")
    os.sched_setaffinity(0, OTHER_CORES)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all its threads, user and system."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def core_seconds() -> float:
    """CPU time that the server's core has worked, for whomever."""
    (core,) = SERVER_CORE
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:8])
            return (user + nice + system + sum(interrupts)) / TICKS
    raise LookupError(f"cpu{core}")


def wait_until_idle(
    pid: int, rest: Callable[[float], None] = time.sleep, patience: float = 60
) -> None:
    """Wait until a process does next to nothing, such as seeing a crowd off."""
    deadline = time.monotonic() + patience
    used = cpu_seconds(pid)
    while time.monotonic() < deadline:
        rest(0.5)
        before, used = used, cpu_seconds(pid)
        if used - before < 0.05:
            return


def resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


def description() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.machine()
    return f"{model}, {len(CORES)} cores, Linux {platform.release().split('-')[0]}"
