"""A mail server that takes messages, or accepts a connection and says nothing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    port: int
    hangs: bool = False
    called: threading.Event = field(default_factory=threading.Event)
    taken: list[tuple[list[str], str]] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.called.set()
            with connection:
                if self.hangs:
                    connection.recv(1)  # until the client gives up
                else:
                    self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        def answer(line: bytes) -> None:
            connection.sendall(line + b"\r\n")

        answer(b"220 here")
        recipients: list[str] = []
        with connection.makefile("rb") as lines:
            for line in lines:
                command = line.decode().strip()
                verb = command.upper()
                if verb.startswith("RCPT TO:"):
                    recipients.append(command[len("RCPT TO:") :].strip("<>"))
                if verb == "QUIT":
                    answer(b"221 bye")
                    return
                if verb == "DATA":
                    answer(b"354 go on")
                    said = b"".join(iter(lines.readline, b".\r\n"))
                    self.taken.append((recipients, said.decode()))
                    recipients = []
                answer(b"250 yes")


@contextmanager
def mail_server(*, hangs: bool = False) -> Iterator[MailServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer(listener.getsockname()[1], hangs)
        thread = threading.Thread(target=server.serve, args=[listener], daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
