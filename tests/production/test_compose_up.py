"""What Dockerfile and compose.yaml run, run here: Caddy, two processes, a browser."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from baking import Kitchen, Variables, run
from containers import Image, read_compose
from fleet import wait_until
from fronts import (
    PATIENCE,
    Guest,
    assert_in_order,
    assert_redirects,
    half_a_form,
    posting,
    tell_who_asks,
)
from names import NameServer, serve_names
from people import Person
from playwright.sync_api import Browser, WebSocket
from programs import find_program
from serving import Server, free_port, serve

ADDRESSES = ("127.0.0.2", "127.0.0.3")
FORMS = 20
ROUNDS = 50
COOKIES = ("csrftoken", "sessionid", "sessionid_known")


@dataclass
class Stack:
    """The services of compose.yaml; `names` knows where `web` is."""

    image: Image
    services: dict[str, Any]
    env: Variables
    names: NameServer
    port: int

    def web(self, address: str) -> AbstractContextManager[Server]:
        """A web container, at an address of its own."""
        command = [
            word.replace("0.0.0.0", address).replace("8000", str(self.port))  # noqa: S104
            for word in self.image.cmd
        ]
        command[0] = str(self.image.path / ".venv" / "bin" / command[0])
        return serve(
            command, cwd=self.image.path, port=self.port, host=address, env=self.env
        )

    def is_healthy(self, address: str) -> bool:
        where = f"{address}:{self.port}"
        command = [
            word.replace("127.0.0.1:8000", where) for word in self.image.healthcheck
        ]
        done = run(*command, cwd=self.image.path, env=self.env, ok=False)
        return done.returncode == 0

    def release(self) -> None:
        _, *command = self.services["release"]["command"]
        (python,) = (self.image.path / ".venv" / "bin").glob("python")
        env = {**self.env, "EMAIL_URL": "smtp://127.0.0.1:9"}
        done = run(python, *command, cwd=self.image.path, env=env)
        assert done.stdout.endswith("Released.\n")
        assert done.stderr == ""

    @contextmanager
    def caddy(self, folder: Path) -> Iterator[tuple[Guest, int]]:
        """Caddy with its own authority; a guest, and the port of http://."""
        admin, http, https = free_port(), free_port(), free_port()
        text = (self.image.context / "deploy" / "Caddyfile").read_text()
        # Ports that are free, and nothing that outlives the test.
        options = f"admin 127.0.0.1:{admin}\nhttp_port {http}\nhttps_port {https}\n"
        text = text.replace("{\n", "{\n" + options + "skip_install_trust\n", 1)
        text = text.replace(" 8000 {", f" {self.port} {{")
        resolver = f"refresh 1s\nresolvers udp/127.0.0.1:{self.names.port}"
        text = text.replace("refresh 5s", resolver)
        text = text.replace(f"{self.image.folder}/", f"{self.image.path}/")
        (folder / "Caddyfile").write_text(text)
        service = self.services["caddy"]
        env = {**service["environment"], "XDG_DATA_HOME": str(folder)}
        env["XDG_CONFIG_HOME"] = str(folder)
        command = [find_program("caddy"), "run", "--config", str(folder / "Caddyfile")]
        with serve(command, cwd=folder, port=https, env=env) as server:
            (_, *check) = service["healthcheck"]["test"]
            run(*(word.replace("2019", str(admin)) for word in check), cwd=folder)
            authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            has_one = "certificate obtained successfully"
            wait_until(lambda: has_one in server.log, "Caddy has a certificate")
            front = Server(f"https://localhost:{https}", server.logfile)
            yield Guest(front, authority), http
            assert '"level":"panic"' not in server.log


@pytest.fixture(scope="module")
def image(kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory) -> Image:
    context = kitchen.write({"chat_client": "javascript", "domain_name": "localhost"})
    tell_who_asks(context)
    run("uv", "lock", cwd=context)
    for name in ("db.sqlite3", "site.dump"):
        (context / name).write_text("not for the image")
    return Image(context, tmp_path_factory.mktemp("image"))


@pytest.fixture
def stack(image: Image, postgres: Variables, redis_url: str) -> Iterator[Stack]:
    services = read_compose(image.context, POSTGRES_PASSWORD="long-and-random")
    env = {"SECRET_KEY": "long-and-random-" * 4, "EMAIL_URL": "dummymail://"}
    env |= services["web"]["environment"] | image.environment
    assert env["REDIS_URL"].endswith("/0")
    env |= {**postgres, "REDIS_URL": redis_url}
    with serve_names() as names:
        yield Stack(image, services, env, names, free_port())


def test_the_image_is_compiled_and_holds_nothing_secret(image: Image) -> None:
    compiled = {path.name.split(".")[0] for path in image.path.rglob("*.pyc")}
    assert {"consumers", "settings", "manifest", "channels"} & compiled
    assert (image.path / "staticfiles" / "staticfiles.json").exists()
    assert (image.path / ".venv" / "bin" / image.cmd[0]).exists()
    for name in (".env", "db.sqlite3", "site.dump", "compose.yaml", "deploy", ".git"):
        assert not (image.path / name).exists(), name
    assert not (image.path / ".venv" / "bin" / "pytest").exists()
    assert int(image.user.split(":")[0]) > 0


def test_two_people_chat_across_two_processes(
    stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    stack.release()
    with ExitStack() as running:
        one = running.enter_context(ExitStack())
        one.enter_context(stack.web(ADDRESSES[0]))
        assert not stack.is_healthy(ADDRESSES[1])
        wait_until(lambda: stack.is_healthy(ADDRESSES[0]), "the first is healthy")
        stack.names.addresses = ADDRESSES[:1]
        guest, http = running.enter_context(stack.caddy(tmp_path))
        assert_in_order(guest)
        assert_redirects(http)
        first = guest.who()["pid"]
        ada, ada_sockets = sign_up(browser, guest.server, "ada")
        ada.enter("lobby")

        # docker compose up --scale web=2
        running.enter_context(stack.web(ADDRESSES[1]))
        stack.names.addresses = ADDRESSES
        wait_until(lambda: guest.who()["pid"] != first, "the second is found")
        stack.names.addresses = ADDRESSES[1:]
        wait_until(
            lambda: all(guest.who()["pid"] != first for _ in range(3)),
            "new ones come to the second only",
        )
        bob, bob_sockets = sign_up(browser, guest.server, "bob")
        bob.enter("lobby")
        ada.say("Hello, Bob!")
        bob.sees("Hello, Bob!")
        bob.say("Hello, Ada!")
        ada.sees("Hello, Bob!", "Hello, Ada!")
        for person, sockets in ((ada, ada_sockets), (bob, bob_sockets)):
            assert sockets
            assert all(one.startswith("wss://localhost:") for one in sockets)
            cookies = person.context.cookies()
            names = {one["name"] for one in cookies}
            assert names == {f"__Host-{name}" for name in COOKIES}
            assert all(one["secure"] for one in cookies)
            assert person.complaints == []

        # Ada's process goes: her page comes back to the other one.
        one.close()
        ada.is_online()
        bob.say("Still there?")
        ada.sees("Hello, Bob!", "Hello, Ada!", "Still there?")
        for person in (ada, bob):
            person.context.close()


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_whoever_comes_during_a_restart_is_served(stack: Stack, tmp_path: Path) -> None:
    stack.release()
    with ExitStack() as running:
        webs = [running.enter_context(ExitStack()) for _ in ADDRESSES]
        for web, address in zip(webs, ADDRESSES, strict=True):
            web.enter_context(stack.web(address))
        stack.names.addresses = ADDRESSES
        guest, _ = running.enter_context(stack.caddy(tmp_path))
        assert len({guest.who()["pid"] for _ in range(FORMS)}) == len(ADDRESSES)
        # Empty ones: Caddy 2.11.1 and older send no body a second time.
        with posting(guest) as answers:
            for web, address in ROUNDS * list(zip(webs, ADDRESSES, strict=True)):
                before = len(answers)
                wait_until(lambda: len(answers) > before + FORMS, "forms are sent")  # noqa: B023
                web.close()
                web.enter_context(stack.web(address))
        assert set(answers) == {200}
        # Both are gone: whoever comes waits.
        for web in webs:
            web.close()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(guest.ask, "/accounts/login/")
            running.enter_context(stack.web(ADDRESSES[1]))
            assert waiting.result().ok


@pytest.mark.deep
def test_half_a_form_is_not_waited_for(stack: Stack, tmp_path: Path) -> None:
    stack.names.addresses = ADDRESSES[:1]
    with (
        create_server((ADDRESSES[0], stack.port)),  # it answers nobody
        stack.caddy(tmp_path) as (guest, _),
    ):
        assert half_a_form(guest) < PATIENCE


def sign_up(browser: Browser, server: Server, name: str) -> tuple[Person, list[str]]:
    """Somebody new at a browser, and the addresses of the sockets that it opens."""
    person = Person(browser, server.url, ignore_https_errors=True)
    sockets: list[str] = []

    def hear(socket: WebSocket) -> None:
        sockets.append(socket.url)

    person.page.on("websocket", hear)
    person.sign_up(name)
    return person, sockets
