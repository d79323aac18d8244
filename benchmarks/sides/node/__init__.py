"""Node: `ws` with one Redis subscription, and Socket.IO with its Redis adapter."""

import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.frames import encode
from benchmarks.member import Dialect
from benchmarks.services import Command
from benchmarks.sides.base import Place, Side
from benchmarks.sides.open import OpenVisit

HERE = Path(__file__).resolve().parent


class Node(Side):
    script: str
    path: str

    def build(self, place: Place) -> None:
        folder = place.folder / "node"
        folder.mkdir(exist_ok=True)
        for file in (HERE / "package.json", *HERE.glob("*.js")):
            shutil.copy(file, folder)
        npm = ["npm", "install", "--silent", "--no-package-lock", "--no-audit"]
        subprocess.run(npm, cwd=folder, check=True)

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        # Node takes the port from the environment, as its hosts give it.
        variables = {"PORT": "{port}", "REDIS_URL": redis_url}
        folder = place.folder / "node"
        return OpenVisit(Command(["node", self.script], folder, variables), self.path)


class NodeWs(Node):
    name = "node-ws"
    title = "Node, ws + Redis"
    script = "ws.js"
    path = "/room-{room}"


class SocketIo(Node):
    name = "socket.io"
    title = "Node, Socket.IO + Redis adapter"
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
