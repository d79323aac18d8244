"""What is no message gets one clear sentence or a close code, and hurts nobody."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from baking import Project
from fleet import UNLIMITED, Fleet, forget_peak, peak
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import Visitor, receive_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

ROOM = "/ws/chat/lobby/?after=0"
COUNTER = count()
ERROR = re.compile(r'<p [^>]*id="error"[^>]*>([A-Z][^<]+\.)</p>')
ANSWER = re.compile(
    r'<p [^>]*id="error"|<li class="message"|<span class="typing-person"'
)
TOO_BIG = 1009
INVALID_TEXT = 1007
DROPPED = 1006
MEGABYTE = 1024 * 1024
BAD_FRAMES: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "nonsense",
    "half of JSON": '{"message": "x"',
    "a list": "[]",
    "null": "null",
    "a number": "1",
    "a number of 10,000 digits": "1" * 10_000,
    "a string": '"x"',
    "an empty object": "{}",
    "another object": '{"text": "x"}',
    "blank": '{"message": " \\n\\t "}',
    "2,001 characters": json.dumps({"message": "x" * 2001}),
    "a number as message": '{"message": 1}',
    "null as message": '{"message": null}',
    "a list as message": '{"message": ["x"]}',
    "an object as message": '{"message": {"x": "y"}}',
    "infinity as message": '{"message": 1e999}',
    "NaN as message": '{"message": NaN}',
    "no UUID": '{"message": "x", "client_id": "nonsense"}',
    "a number as UUID": '{"message": "x", "client_id": 5}',
    "an object as UUID": '{"message": "x", "client_id": {}}',
    "NUL": '{"message": "a\\u0000b"}',
    "a lone surrogate": '{"message": "a\\ud800b"}',
    "10,000 lists": "[" * 10_000,
    "3,000 objects": '{"":' * 3000,
    "nested as message": '{"message": ' + "[" * 7000 + "]" * 7000 + "}",
    "binary": b"\x00\xff\xfe",
    "JSON as binary": b'{"message": "x"}',
    "empty binary": b"",
}


@pytest.fixture(scope="module")
def fleet(
    server_name: str,
    production: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    database = tmp_path_factory.mktemp("frames") / "db.sqlite3"
    env = {"DATABASE_URL": f"sqlite:///{database}", **UNLIMITED}
    with ExitStack() as stack:
        fleet = Fleet(production, env, stack)
        fleet.start(server_name)
        yield fleet
        fleet.assert_quiet()


@pytest.fixture(scope="module")
def ada(fleet: Fleet) -> Visitor:
    (ada,) = fleet.invite(fleet.servers[0], "ada")
    return ada


@pytest.fixture(scope="module")
def open_socket(ada: Visitor) -> Iterator[ClientConnection]:
    """One that lives through all of it."""
    with ada.connect(ROOM) as socket:
        receive_until(socket, 'id="presence"')
        yield socket


def answers(socket: ClientConnection) -> str:
    """What has come until now: up to a message that is sent to find out."""
    text = f"asked {next(COUNTER)}"
    socket.send(json.dumps({"message": text}))
    heard = ""
    while f"{text}</p>" not in heard:
        heard += str(socket.recv(timeout=10))
    before, _, _ = heard.rpartition('<li class="message"')
    return before


def close_code(socket: ClientConnection) -> int:
    try:
        while True:
            socket.recv(timeout=10)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else DROPPED


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame_gets_a_sentence(open_socket: ClientConnection, name: str) -> None:
    open_socket.send(BAD_FRAMES[name])
    heard = answers(open_socket)
    assert ERROR.search(heard)
    assert len(ANSWER.findall(heard)) == 1


def test_unknown_fields_are_ignored(open_socket: ClientConnection) -> None:
    open_socket.send(json.dumps({"message": "known", "unknown": [1], "room": 7}))
    assert "known</p>" in answers(open_socket)


def test_a_message_in_fragments_is_one(open_socket: ClientConnection) -> None:
    open_socket.send(['{"mess', 'age": "in ', "", 'pieces"}'])
    assert "in pieces</p>" in answers(open_socket)


scalars = st.none() | st.booleans() | st.integers() | st.floats()
# Lone surrogates too: JSON can spell them.
texts = st.text(st.characters(), max_size=50)
values = st.recursive(
    scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)
contents = st.fixed_dictionaries(
    {}, optional={"message": values, "client_id": values, "typing": values}
)
frames = st.one_of(st.text(), st.binary(), (values | contents).map(json.dumps))


@settings(max_examples=100)
@given(frame=frames)
def test_whatever_comes_is_answered_once(
    open_socket: ClientConnection, frame: str | bytes
) -> None:
    open_socket.send(frame)
    assert len(ANSWER.findall(answers(open_socket))) == 1


def test_nothing_bad_was_stored(fleet: Fleet, ada: Visitor) -> None:
    with ada.connect(ROOM) as socket:
        before = len(fleet.stored())
        for frame in BAD_FRAMES.values():
            socket.send(frame)
        answers(socket)
    assert len(fleet.stored()) == before + 1


def test_text_that_is_no_text_closes_the_socket(ada: Visitor) -> None:
    with ada.connect(ROOM) as socket:
        socket.send(b'{"message": "\xff\xfe"}', text=True)
        assert close_code(socket) == INVALID_TEXT


@pytest.mark.parametrize("size", [20_000, 64 * 1024, MEGABYTE, 4 * MEGABYTE])
@pytest.mark.parametrize("is_fragmented", [False, True])
def test_a_frame_that_is_too_big_closes_the_socket(
    ada: Visitor, size: int, is_fragmented: bool
) -> None:
    text = json.dumps({"message": "x" * size})
    pieces = [text[start : start + 1000] for start in range(0, len(text), 1000)]
    with ada.connect(ROOM) as socket:
        with contextlib.suppress(ConnectionClosed):
            socket.send(pieces if is_fragmented else text)
        code = close_code(socket)
    # Who is sending still when uvicorn hangs up may not get to read why.
    assert code == TOO_BIG or (size >= MEGABYTE and code == DROPPED)


def send_without_an_end(socket: ClientConnection, size: int) -> None:
    """A frame that is announced and sent, and never held in memory here."""
    # Final, text; masked, 8 bytes of length; a mask of zeros.
    header = bytes([0x81, 0xFF]) + size.to_bytes(8, "big") + bytes(4)
    piece = b"x" * MEGABYTE
    with contextlib.suppress(OSError):
        socket.socket.sendall(header)
        for _ in range(size // len(piece)):
            socket.socket.sendall(piece)


def test_memory_does_not_follow_the_size_of_a_frame(
    fleet: Fleet, ada: Visitor, server_name: str, note: Callable[[str], None]
) -> None:
    (server,) = fleet.servers
    before = forget_peak(server)
    growth: dict[int, float] = {}
    for size in (MEGABYTE, 200 * MEGABYTE):
        with ada.connect(ROOM) as socket:
            send_without_an_end(socket, size)
            assert close_code(socket) in {TOO_BIG, DROPPED}
        growth[size // MEGABYTE] = (peak(server) - before) / 1024
    note(
        f"{server_name}: its memory grew by {growth[1]:.1f} MB with a frame of 1 MB "
        f"and by {growth[200]:.1f} MB with one of 200 MB"
    )
    assert growth[200] < 8
