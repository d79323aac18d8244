"""The JSON endpoint of docs/json.md, typed into a project, at work for an app."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from baking import Kitchen, Variables, assert_all_passed
from keys import UUID, give_keys
from playwright.sync_api import Browser, Page
from readmes import code, section
from recipes import TOKENS, client_of, insert, named_inside, page_of, type_page
from requests import Response
from serving import Visitor, closing_code
from sites import Site, serve_project
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

PATH = "/ws/app/orders/"
ORDER = """
from apps.orders.models import Order
from apps.users.models import User
Order.objects.create(user=User.objects.get(username={name!r}), text="Tea")
"""
INBOX = """
from apps.inbox.consumers import add_entry
from apps.users.models import User
for text in {texts!r}:
    add_entry(User.objects.get(username={name!r}), text)
"""
HISTORY = """
import asyncio
from apps.inbox.consumers import add_entry, history
from apps.users.models import User
ada = User.objects.create_user("ada")
add_entry(ada, "hello")
group = f"inbox.{ada.pk}"
print(asyncio.run(history.last_numbers([group])) == {group: 1})
print([entry.number for entry in asyncio.run(history.load(group, 0, 10))])
"""
ROUTES = """
from apps.orders import api, views  # noqa: E402

urlpatterns += [path("token/", views.ticket), path("api/", api.ticket)]
"""
INBOX_IMPORT = "from apps.inbox.consumers import InboxConsumer\n"
PLAIN_ROUTE = """
websocket_urlpatterns.append(path("ws/orders/", OrdersConsumer.as_asgi()))
"""
DISCONNECT = """
from apps.users.models import User
from channels_live import CloseCode, disconnect
disconnect(user=User.objects.get(username="eve").pk, code=CloseCode.SERVICE_RESTART)
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
    for name, source in named_inside(project, "json.md").items():
        if name.startswith("apps/orders/"):
            (project.path / name).write_text(source, "utf-8")
    (project.path / "apps" / "orders" / "tokens.py").write_text(TOKENS, "utf-8")
    folder = project.path / "frameworks"
    put = ("uv", "pip", "install", "--quiet", "--no-deps", "--target", str(folder))
    subprocess.run([*put, "djangorestframework"], check=True, timeout=120)
    append(project.path / "config" / "urls.py", ROUTES)
    page = page_of(project, "json.md")
    (route,) = re.findall(r"Add `(path\(.*\))` to `routes`", page)
    sockets = project.path / "config" / "channels_urls.py"
    insert(sockets, "routes = [", f"{route}, ")
    insert(sockets, "import path, re_path\n", INBOX_IMPORT)
    append(sockets, PLAIN_ROUTE)
    with serve_project(project, env={"PYTHONPATH": str(folder)}) as site:
        site.shell.run(ORDER.format(name="ada"))
        yield site
        for secret in ("ticket=", "ticket%22"):
            assert secret not in site.server.log


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def ticket_of(site: Site, name: str) -> str:
    visitor = Visitor(site.server)
    visitor.session.cookies.set("sessionid", site.sessions[name])
    answer = visitor.get("/ticket/")
    assert "no-store" in answer.headers["Cache-Control"]
    ticket: str = answer.json()["ticket"]
    return ticket


def open_app(site: Site, ticket: str, path: str = PATH) -> ClientConnection:
    return connect(
        site.server.websocket_url + path,
        subprotocols=[Subprotocol("ticket"), Subprotocol(ticket)],
        proxy=None,
    )


def hold(page: Page, condition: str) -> None:
    """Wait until a condition holds; the site allows no eval() in pages.

    Once some have failed, Chromium opens one WebSocket after another, with pauses.
    """
    for _ in range(1200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def test_its_test_passes_and_it_is_clean(orders: Site) -> None:
    project = orders.project
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", "apps/orders")
    assert_all_passed(done.stdout)
    folder = "apps/orders"
    project.run("ruff", "check", "--no-cache", folder)
    project.run("ruff", "format", "--check", "--no-cache", folder)


@contextmanager
def running_client(
    site: Site, name: str, folder: Path
) -> Iterator["subprocess.Popen[str]"]:
    client = folder / "orders.py"
    client.write_text(client_of(page_of(site.project, "json.md")))
    command = [sys.executable, str(client), site.server.url, site.sessions[name]]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_the_client_is_told_of_what_another_device_does(
    orders: Site, tmp_path: Path
) -> None:
    with running_client(orders, "ada", tmp_path) as client:
        assert client.stdout
        assert "'text': 'Tea', 'paid': False" in client.stdout.readline()
        with open_app(orders, ticket_of(orders, "ada")) as app:
            (first,) = json.loads(app.recv(10))
            pk = first["orders"][0]["id"]
            for wrong in ({}, {"type": "pay", "id": 10**30}, {"type": "pay"}):
                app.send(json.dumps(wrong))
            app.send(json.dumps({"type": "pay", "id": pk}))
            assert str({"type": "paid", "id": pk}) in client.stdout.readline()


def test_the_client_comes_back_until_its_login_ends(
    orders: Site, tmp_path: Path
) -> None:
    with running_client(orders, "eve", tmp_path) as client:
        assert client.stdout
        assert client.stderr
        orders_of_eve = client.stdout.readline()
        orders.shell.run(DISCONNECT)
        assert client.stdout.readline() == orders_of_eve
        visitor = Visitor(orders.server)
        visitor.session.cookies.set("sessionid", orders.sessions["eve"])
        visitor.post("/accounts/logout/")
        assert client.wait(20) == 1
        assert "HTTP Error 401" in client.stderr.read()


@pytest.mark.parametrize("view", ["token", "api"])
def test_an_api_issues_tickets(orders: Site, view: str) -> None:
    def ask(**headers: str) -> Response:
        visitor = Visitor(orders.server)
        if view == "api" and headers:
            visitor.session.cookies.set("sessionid", orders.sessions["bob"])
        return visitor.session.get(f"{orders.server.url}/{view}/", headers=headers)

    assert ask().status_code in {401, 403}
    with open_app(orders, ask(Authorization="Bearer bob").json()["ticket"]) as app:
        assert json.loads(app.recv(10)) == [{"type": "orders", "orders": []}]


def test_an_app_catches_up_on_its_own_events(orders: Site) -> None:
    orders.shell.run(INBOX.format(name="linus", texts=["a", "b", "c"]))
    orders.shell.run(INBOX.format(name="bob", texts=["not for linus"]))

    def open_inbox(after: str, name: str = "linus") -> ClientConnection:
        ticket = ticket_of(orders, name)
        return open_app(orders, ticket, f"/ws/app/inbox/{after}")

    with open_inbox("?after=1") as back, open_inbox("") as new:
        assert [one["text"] for one in json.loads(back.recv(10))] == ["b", "c"]
        assert [one["number"] for one in json.loads(new.recv(10))] == [1, 2, 3]
        orders.shell.run(INBOX.format(name="linus", texts=["d"]))
        for app in (back, new):
            entry = {"type": "entry", "number": 4, "text": "d"}
            assert json.loads(app.recv(10)) == [entry]
    with open_inbox("?after=5") as ahead:
        assert closing_code(ahead) == 4409
    with open_inbox("?after=0", "ada") as empty:
        empty.send("ping")
        assert empty.recv(10) == "[]"


def test_nobody_comes_in_without_a_ticket(orders: Site) -> None:
    assert Visitor(orders.server).get("/ticket/").status_code == 401
    ticket = ticket_of(orders, "ada")
    with open_app(orders, ticket) as app:
        app.recv(10)
        for _ in range(2):
            with open_app(orders, ticket) as again:
                assert again.subprotocol == "ticket"
                assert closing_code(again) == 4401


def test_the_socket_ends_with_the_user(orders: Site) -> None:
    with open_app(orders, ticket_of(orders, "grace")) as app:
        app.recv(10)
        visitor = Visitor(orders.server)
        visitor.session.cookies.set("sessionid", orders.sessions["grace"])
        visitor.post("/accounts/logout/")
        assert closing_code(app) == 4401


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


def test_with_uuids_an_inbox_works_and_mypy_is_content(
    kitchen: Kitchen, mypy_cache: Variables
) -> None:
    project = kitchen.bake({})
    give_keys(project, *UUID, apps=["users"])
    project.run("mypy", ".", env=mypy_cache)
    type_page(project, "json.md")
    project.manage("migrate")

    printed = project.manage("shell", "--no-imports", "-c", HISTORY)

    assert printed.split("\n")[-3:-1] == ["True", "[1]"]


def test_pages_of_this_site_and_of_others_open_it(
    orders: Site, browser: Browser
) -> None:
    text = section(orders.project.path / "docs" / "json.md", "In a page")
    own, other = code(text, "js")
    other = other.replace("https://example.com/ticket/", "/token/")
    other = other.replace("https://example.com", "")
    bob = orders.invite(browser, "bob")
    bob.page.goto("/")
    bob.page.add_script_tag(url="/static/channels_live/socket.js")
    bob.page.evaluate(
        f"""() => {{
            const root = document.createElement("p");
            document.body.append(root);
            root.dataset.path = "/ws/orders/";
            {own}
            window.own = socket;
        }}"""
    )
    bob.page.evaluate(
        f'() => {{ const token = "bob"; {other} window.other = socket; }}'
    )
    for socket in ("own", "other"):
        hold(bob.page, f"{socket}.state === 'online'")
        bob.page.evaluate(f"{socket}.close()")
    bob.context.close()
