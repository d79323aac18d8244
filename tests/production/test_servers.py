"""The servers as processes, real WebSocket clients at the other end."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from baking import NOTHING, Kitchen, Project, Variables, run
from fronts import PATIENCE, half_a_form
from serving import FAILED_REQUEST, Server, Visitor, free_port, receive_until, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

# As the page has it: with the number of the last message that it shows.
ROOM = "/ws/chat/lobby/?after=0"
FOREIGN = "https://evil.example"


def command(project: Project, name: str, port: int) -> list[str]:
    address = {
        "daphne": ["-b", "127.0.0.1", "-p", str(port)],
        "uvicorn": ["--host", "127.0.0.1", "--port", str(port)],
    }
    python = str(project.python)
    return [python, "-m", name, "config.asgi:application", *address[name]]


@contextmanager
def serving(project: Project, name: str, env: Variables = NOTHING) -> Iterator[Server]:
    port = free_port()
    with serve(
        command(project, name, port), cwd=project.path, port=port, env=env
    ) as server:
        yield server
        assert "Traceback" not in server.log, server.log
        assert not FAILED_REQUEST.search(server.log), server.log


@pytest.fixture(scope="module")
def chat(server_name: str, kitchen: Kitchen) -> Iterator[Server]:
    """A project with the demo, on SQLite and the in-memory layer."""
    # The set of dependencies that has both servers.
    project = kitchen.bake({"asgi_server": "uvicorn"})
    project.manage("migrate")
    with serving(project, server_name) as server:
        yield server


def enter(server: Server, name: str, room: str = "lobby") -> Visitor:
    """Somebody new, who has made sure that there is such a room."""
    visitor = Visitor(server)
    visitor.sign_up(f"{name}{time.monotonic_ns()}")
    page = visitor.post("/chat/", name=room)
    assert page.ok
    assert page.url == f"{server.url}/chat/{room}/"
    return visitor


def say(text: str) -> str:
    return json.dumps({"message": text})


def assert_refused(connect: Callable[[], object]) -> None:
    """Neither accepted nor a server error; a close code of our own will do as well."""
    try:
        with connect() as socket:  # type: ignore[attr-defined]
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=5)
            assert closed.value.rcvd
            assert 4400 <= closed.value.rcvd.code < 4500
    except InvalidStatus as error:
        status = error.response.status_code
    else:
        return
    assert status == 403


def test_people_in_a_room_see_each_other_and_nobody_else_does(chat: Server) -> None:
    ada, bob = enter(chat, "ada"), enter(chat, "bob")
    eve = enter(chat, "eve", room="elsewhere")
    with (
        ada.connect(ROOM) as ada_socket,
        bob.connect(ROOM) as bob_socket,
        eve.connect("/ws/chat/elsewhere/?after=0") as eve_socket,
    ):
        ada_socket.send(say("hi from Ada 😀"))
        receive_until(ada_socket, "hi from Ada 😀")
        receive_until(bob_socket, "hi from Ada 😀")
        bob_socket.send(say("hi from <b>Bob</b>"))
        assert "<b>Bob</b>" not in receive_until(ada_socket, "hi from &lt;b&gt;Bob")
        eve_socket.send(say("alone here"))
        assert "from Ada" not in receive_until(eve_socket, "alone here")
    assert "hi from Ada 😀" in enter(chat, "late").get("/chat/lobby/").text


def test_what_is_no_message_is_survived(chat: Server) -> None:
    with enter(chat, "ada").connect(ROOM) as socket:
        for frame in ("", "nonsense", "[]", "{}", say(""), b"\x00\xff", "null"):
            socket.send(frame)
        socket.send(say("still here"))
        receive_until(socket, "still here")


def test_a_foreign_origin_is_refused(chat: Server) -> None:
    ada = enter(chat, "ada")
    assert_refused(lambda: ada.connect(ROOM, origin=FOREIGN))
    assert_refused(lambda: ada.connect(ROOM, origin="null"))
    assert_refused(lambda: ada.connect(ROOM, origin=None))
    assert_refused(lambda: Visitor(chat).connect("/ws/ping/", origin=FOREIGN))


def test_without_a_login_the_room_is_closed(chat: Server) -> None:
    enter(chat, "ada")
    assert_refused(lambda: Visitor(chat).connect(ROOM))
    forged = Visitor(chat)
    forged.session.cookies.set("sessionid", "f" * 32)
    assert_refused(lambda: forged.connect(ROOM))
    assert "/accounts/login/" in Visitor(chat).get("/chat/lobby/").url


@pytest.mark.parametrize(
    "path",
    ["/", "/ws/", "/ws/nowhere/", "/ws/chat/", "/ws/chat/a/b/", "/ws/ping", "/%00"],
)
def test_an_unknown_path_is_refused_quietly(chat: Server, path: str) -> None:
    assert_refused(lambda: Visitor(chat).connect(path))


def test_the_ping_needs_no_login(chat: Server) -> None:
    with Visitor(chat).connect("/ws/ping/") as socket:
        socket.send("1234.5")
        assert socket.recv(timeout=10) == "1234.5"


@pytest.mark.deep
def test_half_a_form_is_not_waited_for(chat: Server) -> None:
    assert half_a_form(Visitor(chat)) < PATIENCE


def test_without_the_demo(kitchen: Kitchen, server_name: str) -> None:
    project = kitchen.bake({"include_chat_demo": False, "asgi_server": "uvicorn"})
    project.manage("migrate")
    with serving(project, server_name) as server:
        visitor = Visitor(server)
        visitor.sign_up("ada")
        assert visitor.get("/").ok
        assert visitor.get("/chat/").status_code == 404
        with visitor.connect("/ws/ping/") as socket:
            socket.send("x")
            assert socket.recv(timeout=10) == "x"
        assert_refused(lambda: visitor.connect(ROOM))


def test_production_with_two_servers_postgresql_and_redis(
    kitchen: Kitchen, postgres: dict[str, str], redis_url: str
) -> None:
    project = kitchen.bake({"asgi_server": "uvicorn", "database": "postgresql"})
    variables = {
        **postgres,
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "false",
        "EMAIL_URL": "dummymail://",
        "REDIS_URL": redis_url,
        "USE_HTTPS_IN_ABSOLUTE_URLS": "false",
    }
    project.manage("migrate", env=variables)
    project.manage("collectstatic", "--noinput", env=variables)
    with (
        serving(project, "daphne", variables) as daphne,
        serving(project, "uvicorn", variables) as uvicorn,
    ):
        ada, bob = enter(daphne, "ada"), enter(uvicorn, "bob")
        with ada.connect(ROOM) as ada_socket, bob.connect(ROOM) as bob_socket:
            ada_socket.send(say("from daphne"))
            receive_until(bob_socket, "from daphne")
            bob_socket.send(say("from uvicorn"))
            receive_until(ada_socket, "from uvicorn")
        for server in (daphne, uvicorn):
            assert_static_files_are_served(Visitor(server))


def assert_static_files_are_served(visitor: Visitor) -> None:
    page = visitor.get("/")
    (stylesheet,) = re.findall(r'href="(/static/css/site\.[^"]+\.css)"', page.text)
    answer = visitor.get(stylesheet)
    assert answer.ok
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] in {"br", "gzip"}


def test_a_missing_secret_key_stops_the_start_with_a_sentence(
    plain_project: Project,
) -> None:
    done = run(
        plain_project.python,
        *("manage.py", "check"),
        cwd=plain_project.path,
        ok=False,
        env={"DEBUG": "false", "SECRET_KEY": ""},
    )
    assert done.returncode == 1
    assert re.fullmatch("SECRET_KEY: expected a long random word.*\n", done.stderr)


def test_the_in_memory_layer_in_production_is_warned_about(
    plain_project: Project,
) -> None:
    said = plain_project.manage(
        *("check", "--deploy"), env={"DEBUG": "false", "SECRET_KEY": "x1y2" * 20}
    )
    assert "channel layer is in memory" in said


def test_from_nothing_to_the_first_message(
    kitchen: Kitchen, note: Callable[[str], None]
) -> None:
    start = time.perf_counter()
    output = kitchen.folder()
    done = kitchen.cookiecutter("--no-input", output=output)
    assert "Ready" in done.stdout, done.stdout + done.stderr
    path = output / "my_project"
    with ExitStack() as stack:
        project = Project(path, path / ".venv")
        server = stack.enter_context(serving(project, "daphne"))
        ada = enter(server, "ada")
        socket = stack.enter_context(ada.connect(ROOM))
        socket.send(say("first"))
        receive_until(socket, "first")
        seconds = time.perf_counter() - start
    note(f"from cookiecutter --no-input to the first message: {seconds:.1f} s")
    assert seconds < 60  # a minute, beside other tests on a slow machine too
