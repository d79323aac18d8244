"""The tests may be started as a background job, which ignores some signals."""

import subprocess
import sys

STARTED = "import signal; print(signal.getsignal(signal.SIG{}) is not signal.SIG_IGN)"
JOB = """
import signal, subprocess, sys
import serving

signal.signal(signal.SIG{0}, signal.SIG_IGN)
if sys.argv[1] == "obey":
    serving.obey_signals()
subprocess.run([sys.executable, "-c", {1!r}], check=True)
"""


def is_obeyed(name: str, how: str) -> str:
    job = JOB.format(name, STARTED.format(name))
    command = [sys.executable, "-c", job, how]
    env = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.check_output(command, env=env, text=True).strip()


def test_what_tests_start_obeys_signals() -> None:
    for name in ("INT", "QUIT"):
        assert is_obeyed(name, "obey") == "True"
        assert is_obeyed(name, "as it is") == "False"
