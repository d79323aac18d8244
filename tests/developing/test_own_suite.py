"""The tests may be a background job, which ignores some signals, beside others."""

import subprocess
import sys

import serving

STARTED = "import signal; print(signal.getsignal(signal.SIG{}) is not signal.SIG_IGN)"
JOB = """
import signal, subprocess, sys
import serving

signal.signal(signal.SIG{0}, signal.SIG_IGN)
if sys.argv[1] == "obey":
    serving.obey_signals()
subprocess.run([sys.executable, "-c", {1!r}], check=True)
"""
PORTS = "import serving; print(*(serving.free_port() for _ in range(600)))"


def is_obeyed(name: str, how: str) -> str:
    job = JOB.format(name, STARTED.format(name))
    command = [sys.executable, "-c", job, how]
    env = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.check_output(command, env=env, text=True).strip()


def test_what_tests_start_obeys_signals() -> None:
    for name in ("INT", "QUIT"):
        assert is_obeyed(name, "obey") == "True"
        assert is_obeyed(name, "as it is") == "False"


def test_each_run_has_ports_of_its_own() -> None:
    """What is started again would otherwise find its port taken by another run."""
    command = [sys.executable, "-c", PORTS]
    env = {"PYTHONPATH": ":".join(sys.path)}
    others = subprocess.check_output(command, env=env, text=True)

    own = {serving.free_port() for _ in range(600)}
    assert own.isdisjoint(map(int, others.split()))
