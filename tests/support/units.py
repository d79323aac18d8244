"""systemd's units, read, and what they run, run here."""

import shlex
import socket
from dataclasses import dataclass
from pathlib import Path

from baking import Project


@dataclass(frozen=True)
class Unit:
    """The service of a project whose folder is not /srv/NAME but another."""

    project: Project

    @property
    def path(self) -> Path:
        return self.socket_path.with_name(f"{self.socket_path.stem}@.service")

    @property
    def worker_path(self) -> Path:
        return self.socket_path.with_name(f"{self.socket_path.stem}-worker@.service")

    @property
    def socket_path(self) -> Path:
        (path,) = (self.project.path / "deploy" / "systemd").glob("*.socket")
        return path

    @property
    def paths(self) -> list[Path]:
        """Of all units, those too that are not of the web processes."""
        return sorted(self.path.parent.iterdir())

    def here(self, path: Path) -> str:
        """A unit's text, with the paths of this machine."""
        slug = self.socket_path.stem
        text = path.read_text().replace(f"/srv/{slug}/.venv", str(self.project.venv))
        return text.replace(f"/srv/{slug}", str(self.project.path))

    def values(self, name: str, path: Path | None = None) -> list[str]:
        lines = self.here(path or self.path).splitlines()
        return [line.split("=", 1)[1] for line in lines if line.startswith(f"{name}=")]

    @property
    def command(self) -> list[str]:
        (line,) = self.values("ExecStart")
        return shlex.split(line)

    @property
    def environment(self) -> dict[str, str]:
        (line,) = self.values("Environment")
        return dict(pair.split("=", 1) for pair in line.split())

    def listen(self) -> socket.socket:
        """The socket as systemd opens it, at a port that is free."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        if "NoDelay=yes" in self.socket_path.read_text().splitlines():
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener

    def command_with(self, listener: socket.socket) -> list[str]:
        """The command with a socket where systemd puts it."""
        script = 'descriptor=$1; shift; exec "$@" 3<&"$descriptor"'
        return ["bash", "-c", script, "-", str(listener.fileno()), *self.command]
