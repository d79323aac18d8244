"""The JSON endpoint of docs/json.md, typed into a project, at work for an app."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from baking import Kitchen, assert_all_passed
from playwright.sync_api import Browser, Page
from recipes import CONFIG, FILE, page_of, type_page
from serving import Visitor
from sites import Site, serve_project
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PATH = "/ws/app/orders/"
MAX_LINES = 30
ORDER = """
from apps.orders.models import Order
from apps.users.models import User
Order.objects.create(user=User.objects.get(username={name!r}), text="Tea")
"""
OPEN = """
window.events = [];
window.tickets = 0;
window.live = new LiveSocket("/ws/app/orders/", { ticket: async () => {
  window.tickets += 1;
  return (await (await fetch("/ticket/")).json()).ticket;
} });
live.addEventListener("message", ({ data }) => events.push(...JSON.parse(data)));
"""


@pytest.fixture(scope="module")
def orders(kitchen: Kitchen) -> Iterator[Site]:
    project = kitchen.bake({"include_chat_demo": False})
    type_page(project, "json.md")
    with serve_project(project) as site:
        site.shell.run(ORDER.format(name="ada"))
        yield site
        for secret in ("ticket=", "ticket%22"):
            assert secret not in site.server.log


def ticket_of(site: Site, name: str) -> str:
    visitor = Visitor(site.server)
    visitor.session.cookies.set("sessionid", site.sessions[name])
    answer = visitor.get("/ticket/")
    assert "no-store" in answer.headers["Cache-Control"]
    ticket: str = answer.json()["ticket"]
    return ticket


def open_app(site: Site, ticket: str) -> ClientConnection:
    return connect(
        site.server.websocket_url + PATH,
        subprotocols=[Subprotocol("ticket"), Subprotocol(ticket)],
        proxy=None,
    )


def close_code(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        socket.recv(10)
    return socket.close_code


def hold(page: Page, condition: str) -> None:
    """Wait until a condition holds; the site allows no eval() in pages."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def test_it_is_as_short_as_is_said(orders: Site) -> None:
    text = page_of(orders.project, "json.md")
    typed = dict(FILE.findall(text))["apps/orders/consumers.py"]
    blocks = [typed, *(imports + rest for _, imports, rest in CONFIG.findall(text))]
    written = [line for line in "".join(blocks).splitlines() if line.strip()]
    assert len(written) <= MAX_LINES


def test_its_test_passes_and_it_is_clean(orders: Site) -> None:
    project = orders.project
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", "apps/orders")
    assert_all_passed(done.stdout)
    folder = "apps/orders"
    project.run("ruff", "check", "--no-cache", folder)
    project.run("ruff", "format", "--check", "--no-cache", folder)


def test_the_client_is_told_of_what_another_device_does(
    orders: Site, tmp_path: Path
) -> None:
    client = tmp_path / "orders.py"
    (source,) = re.findall(
        r"`orders.py`.*?```python\n(.*?)```", page_of(orders.project, "json.md"), re.S
    )
    client.write_text(source)
    url = orders.server.websocket_url + PATH
    command = [sys.executable, str(client), url, ticket_of(orders, "ada")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as printing:
        assert printing.stdout
        try:
            assert "'text': 'Tea', 'paid': False" in printing.stdout.readline()
            with open_app(orders, ticket_of(orders, "ada")) as app:
                (first,) = json.loads(app.recv(10))
                pk = first["orders"][0]["id"]
                for wrong in ({}, {"type": "pay", "id": 10**30}, {"type": "pay"}):
                    app.send(json.dumps(wrong))
                app.send(json.dumps({"type": "pay", "id": pk}))
                assert str({"type": "paid", "id": pk}) in printing.stdout.readline()
        finally:
            printing.terminate()


def test_nobody_comes_in_without_a_ticket(orders: Site) -> None:
    assert Visitor(orders.server).get("/ticket/").status_code == 401
    ticket = ticket_of(orders, "ada")
    with open_app(orders, ticket) as app:
        app.recv(10)
        for _ in range(2):
            with open_app(orders, ticket) as again:
                assert again.subprotocol == "ticket"
                assert close_code(again) == 4401


def test_the_socket_ends_with_the_user(orders: Site) -> None:
    with open_app(orders, ticket_of(orders, "eve")) as app:
        app.recv(10)
        visitor = Visitor(orders.server)
        visitor.session.cookies.set("sessionid", orders.sessions["eve"])
        visitor.post("/accounts/logout/")
        assert close_code(app) == 4401


def test_a_page_asks_for_a_ticket_for_each_attempt(
    orders: Site, browser: Browser
) -> None:
    bob = orders.invite(browser, "bob")
    page = bob.page
    page.goto("/")
    page.add_script_tag(url="/static/channels_live/socket.js")
    page.evaluate(OPEN)
    hold(page, "events.length === 1")
    assert page.evaluate("live.send({ type: 'pay', id: 0 })")
    bob.context.set_offline(True)
    hold(page, "live.state === 'offline'")
    bob.context.set_offline(False)
    hold(page, "events.length === 2")
    assert page.evaluate("tickets") >= 2
    assert page.evaluate("live.state") == "online"
    page.evaluate("live.close()")
    bob.context.close()
