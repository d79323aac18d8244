"""Who is let in while a process closes its door."""

import socket

import pytest

from channels_live.servers.door import refuse_new


def test_nobody_is_let_in_only_to_be_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as waiting:
            refuse_new(listener)

            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
            accepted, _ = listener.accept()
            waiting.sendall(b"x")
            assert accepted.recv(1) == b"x"
            accepted.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_a_unix_socket_is_left_as_it_is() -> None:
    refuse_new(socket.socket(socket.AF_UNIX))
