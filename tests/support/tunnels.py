"""A TCP proxy whose connections can die without a word, as in a network."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from serving import free_port

DIAL = 5  # seconds


class Flow(threading.Event):
    """Whether connections carry what comes; those that are dead swallow it for ever."""

    is_dead = False

    def __init__(self) -> None:
        super().__init__()
        self.set()


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
        self.sockets: set[socket.socket] = set()
        self.flow = Flow()  # of connections that begin now

    def kill(self) -> None:
        """Let the connections that there are carry nothing any more; new ones work."""
        self.flow.is_dead = True
        self.flow.set()
        self.flow = Flow()

    def cut(self) -> None:
        """Close the connections that there are."""
        for one in tuple(self.sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Wake every thread, and have it end."""
        # Closing alone would not wake who waits in accept(), recv() or sendall().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.kill()
        self.cut()

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
                self.sockets |= {near, far}
                args = near, far, self.flow
                threading.Thread(target=self.carry, args=args, daemon=True).start()

    def carry(self, near: socket.socket, far: socket.socket, flow: Flow) -> None:
        """Forward both ways, until both have come to their end."""
        back = threading.Thread(
            target=self.forward, args=(far, near, flow), daemon=True
        )
        back.start()
        self.forward(near, far, flow)
        if flow.is_dead:
            self.close(near)  # who has gone needs no answer, and nobody else learns it
        back.join()
        self.close(near)
        self.close(far)

    def close(self, one: socket.socket) -> None:
        self.sockets.discard(one)
        one.close()

    def forward(self, source: socket.socket, sink: socket.socket, flow: Flow) -> None:
        mine, its = (f"127.0.0.1:{port}".encode() for port in (self.port, self.target))
        with suppress(OSError):
            while data := source.recv(1024 if self.rate else 65536):
                flow.wait()
                if flow.is_dead:
                    continue
                if self.rewrites:
                    data = data.replace(b"Host: " + mine, b"Host: " + its)
                sink.sendall(data)
                if self.rate and source.getpeername()[1] == self.target:
                    time.sleep(len(data) / self.rate)
            flow.wait()
            if not flow.is_dead:
                sink.shutdown(socket.SHUT_WR)


def dial(target: int | str) -> socket.socket:
    if isinstance(target, int):
        far = socket.create_connection(("127.0.0.1", target), timeout=DIAL)
    else:
        far = socket.socket(socket.AF_UNIX)
        far.settimeout(DIAL)
        far.connect(target)
    far.settimeout(None)
    return far


@contextmanager
def tunnel(target: int | str, *, rewrites: bool = False) -> Iterator[Tunnel]:
    """Open a tunnel to a port of this machine."""
    tunnel = Tunnel(target, rewrites=rewrites)
    thread = threading.Thread(target=tunnel.run, daemon=True)
    thread.start()
    try:
        yield tunnel
    finally:
        tunnel.end()
        thread.join(10)
