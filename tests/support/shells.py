"""A Django shell that is started once and runs many scripts."""

import json
import os
import signal
import subprocess
import threading
from types import TracebackType
from typing import Self

from baking import NOTHING, Project, Variables, environment

# Each script runs in a fork, as if in a process of its own; what all of them import
# is there already. The parent opens no connection.
LOOP = """
import json, os, sys, traceback

for line in sys.stdin:
    child = os.fork()
    if not child:
        status = 1
        try:
            exec(json.loads(line), {"__name__": "__main__"})
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    print("\\n" + END, os.waitpid(child, 0)[1], flush=True)
"""
END = "--- the end of the script:"
LIMIT = 120  # seconds that a script may take


class Shell:
    """The shell of a project; a context manager, which ends it."""

    def __init__(self, project: Project, env: Variables = NOTHING) -> None:
        code = LOOP.replace("END", repr(END))
        self.process = subprocess.Popen(
            [project.python, "manage.py", "shell", "--no-imports", "-c", code],
            cwd=project.path,
            env=environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def kill(self) -> None:
        """End it with the script that it runs, which holds the pipe too."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def run(self, script: str) -> str:
        """Run a script that must succeed; what it printed."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(script) + "\n")
        self.process.stdin.flush()
        said = ""
        timer = threading.Timer(LIMIT, self.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if line.startswith(END):
                    assert line == f"{END} 0\n", said
                    return said.strip()
                said += line
        finally:
            timer.cancel()
        raise AssertionError(f"The shell ended:\n{said}")

    def migrate(self) -> None:
        self.run(
            "from django.core.management import call_command\n"
            "call_command('migrate', verbosity=0)"
        )
