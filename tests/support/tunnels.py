"""A TCP proxy whose connections can die without a word, as in a network."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from serving import free_port


class Tunnel:
    """Leads to a port, or a Unix socket; nothing is closed where it stops to forward.

    One that `rewrites` tells the server its own address in the header Host, as some do.
    `rate` is what it carries to a browser, in bytes a second; 0 means all there is.
    """

    rate = 0

    def __init__(self, target: int | str, *, rewrites: bool) -> None:
        self.target = target
        self.rewrites = rewrites
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=50)
        self.sockets: list[socket.socket] = []
        self.flow = threading.Event()  # of connections that begin now
        self.flow.set()

    def kill(self) -> None:
        """Let the connections that there are carry nothing any more; new ones work."""
        self.flow.clear()
        self.flow = threading.Event()
        self.flow.set()

    def cut(self) -> None:
        """Close the connections that there are."""
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def pause(self) -> None:
        """Carry nothing, through new connections neither."""
        self.flow.clear()

    def resume(self) -> None:
        self.flow.set()

    def run(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                near, _ = self.listener.accept()
                try:
                    far = dial(self.target)
                except OSError:  # nobody listens there now
                    near.close()
                    continue
                self.sockets += near, far
                for ends in ((near, far), (far, near)):
                    args = (*ends, self.flow)
                    threading.Thread(
                        target=self.forward, args=args, daemon=True
                    ).start()

    def forward(
        self, source: socket.socket, sink: socket.socket, flow: threading.Event
    ) -> None:
        mine, its = (f"127.0.0.1:{port}".encode() for port in (self.port, self.target))
        with suppress(OSError):
            while data := source.recv(1024 if self.rate else 65536):
                flow.wait()
                if self.rewrites:
                    data = data.replace(b"Host: " + mine, b"Host: " + its)
                sink.sendall(data)
                if self.rate and source.getpeername()[1] == self.target:
                    time.sleep(len(data) / self.rate)
            flow.wait()
            sink.shutdown(socket.SHUT_WR)


def dial(target: int | str) -> socket.socket:
    if isinstance(target, int):
        return socket.create_connection(("127.0.0.1", target))
    far = socket.socket(socket.AF_UNIX)
    far.connect(target)
    return far


@contextmanager
def tunnel(target: int | str, *, rewrites: bool = False) -> Iterator[Tunnel]:
    """Open a tunnel to a port of this machine."""
    tunnel = Tunnel(target, rewrites=rewrites)
    thread = threading.Thread(target=tunnel.run, daemon=True)
    thread.start()
    yield tunnel
    # Closing alone would not wake who waits in accept().
    tunnel.listener.shutdown(socket.SHUT_RDWR)
    for one in (tunnel.listener, *tunnel.sockets):
        one.close()
    thread.join(10)
