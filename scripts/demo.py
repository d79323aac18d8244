"""Generates a project with the default answers and serves it: `make demo`."""

import os
import socket
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
DEMO = CHECKOUT / ".demo"
PROJECT = DEMO / "my_project"


def main(port: str) -> None:
    if problem := port_problem(port):
        sys.exit(problem)
    print("Making a project; the first time this takes a minute.", flush=True)
    # Over an earlier demo, whose database and .env stay.
    generate = ["--no-input", "--default-config", "--overwrite-if-exists"]
    subprocess.run(
        [sys.executable, "-m", "cookiecutter", CHECKOUT, *generate, "-o", DEMO],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=CHECKOUT,
    )
    manage = ["uv", "run", "--quiet", "--no-sync", "python", "manage.py"]
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    os.chdir(PROJECT)
    print(f"The project is in {PROJECT.relative_to(CHECKOUT)}.\n", flush=True)
    subprocess.run([*manage, "demo"], env=environment, check=False)
    address = f"http://localhost:{port}/chat/"
    print(f"\nOpen {address} in two browsers. Ctrl-C ends the server.\n", flush=True)
    os.execvpe("uv", [*manage, "runserver", "--noreload", port], environment)  # noqa: S606


def port_problem(port: str) -> str:
    """One sentence, if no server can listen on the port."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return f"PORT must be a number from 1 to 65535, not {port!r}."
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            return (
                f"Port {port} cannot be used ({reason}). "
                "Another one: PORT=8001 make demo"
            )
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
