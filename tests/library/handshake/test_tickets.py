"""Sockets of clients without a cookie: by ticket, or by what a project thinks of."""

import json
from typing import Any

import pytest
from channels.auth import logout
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from channels_live import (
    CloseCode,
    Consumer,
    Refused,
    any_origin,
    disconnect,
    in_thread,
    same_origin,
    session_login,
    ticket_for,
    ticket_login,
    ticket_view,
    websocket_application,
)
from channels_live.handshake import tickets
from channels_live.process import get_process
from channels_live.testing import WAIT, check_sockets
from tests.library.helpers.browsing import browser_of, closing_code, key_of, only
from tests.library.helpers.consumers import OrdersConsumer

pytestmark = pytest.mark.django_db(transaction=True)

APPS = only(OrdersConsumer.as_asgi(), authenticate=ticket_login, origins=any_origin)


def client(*offered: str, application: Any = APPS) -> WebsocketCommunicator:
    """A socket of no page: without an origin, without a cookie."""
    headers = [(b"host", b"testserver")]
    return WebsocketCommunicator(application, "/", headers, list(offered))


async def show(
    ticket: object, application: Any = APPS, **more: object
) -> WebsocketCommunicator:
    """A socket that has shown a ticket in its first frame."""
    socket = client(application=application)
    assert await socket.connect(WAIT) == (True, None)
    await socket.send_json_to({"ticket": ticket, **more})
    return socket


async def is_let_in(socket: WebsocketCommunicator, name: str = "ada") -> bool:
    return bool(await socket.receive_json_from(WAIT) == [{"you": name}])


async def test_a_ticket_in_a_subprotocol_lets_in(ada: Any) -> None:
    socket = client("ticket", ticket_for(ada))
    assert await socket.connect(WAIT) == (True, "ticket")
    assert await is_let_in(socket)
    await socket.send_json_to({"say": 1})
    assert await socket.receive_json_from(WAIT) == [{"said": 1}]
    await socket.disconnect()


async def test_a_ticket_in_the_first_frame_lets_in(ada: Any) -> None:
    socket = await show(ticket_for(ada))
    assert await is_let_in(socket)
    await socket.send_json_to({"say": 1})
    assert await socket.receive_json_from(WAIT) == [{"said": 1}]
    await socket.disconnect()


async def test_a_plain_consumer_can_be_behind_it(ada: Any) -> None:
    class Plain(AsyncWebsocketConsumer):
        channel_layer_alias = ""

        async def connect(self) -> None:
            await self.accept()
            assert self.scope["subprotocols"] == []  # it is nobody else's business
            await self.send(str(self.scope["user"]))

    plain = only(Plain.as_asgi(), authenticate=ticket_login, origins=any_origin)
    socket = client("ticket", ticket_for(ada), application=plain)
    assert await socket.connect(WAIT) == (True, "ticket")
    assert await socket.receive_from(WAIT) == "ada"
    other = await show(ticket_for(ada), application=plain)
    assert await other.receive_from(WAIT) == "ada"
    for one in (socket, other):
        await one.disconnect()


async def test_a_ticket_is_good_once(ada: Any) -> None:
    ticket = ticket_for(ada)
    first = await show(ticket)
    assert await is_let_in(first)
    assert await closing_code(await show(ticket)) == CloseCode.NOT_LOGGED_IN
    second = client("ticket", ticket)
    assert await second.connect(WAIT) == (True, "ticket")
    assert await closing_code(second) == CloseCode.NOT_LOGGED_IN
    await first.disconnect()


def forged(ada: Any) -> list[object]:
    good = ticket_for(ada)
    content = [str(ada.pk), tickets.fingerprint(ada), "1", []]
    return [
        *("", None, 1, {}, [good], "x", "..", "é.é.é", "\0", good[:-1], good + "x"),
        good.swapcase(),
        signing.dumps(content),  # signed here, for something else
        signing.TimestampSigner(sep=".").sign_object(content),
        signing.TimestampSigner(key="x", salt=tickets.SALT, sep=".").sign_object(
            content
        ),
    ]


async def test_a_forged_ticket_lets_nobody_in(ada: Any, tune: Any) -> None:
    for ticket in forged(ada):
        socket = await show(ticket)
        assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN, ticket


async def test_an_old_ticket_lets_nobody_in(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_for(ada)
    monkeypatch.setattr(tickets, "MAX_AGE", -1)
    assert await closing_code(await show(ticket)) == CloseCode.NOT_LOGGED_IN


@pytest.mark.parametrize("how", ["active", "password", "deleted", "session"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_ticket_ends_with_its_user_and_its_session(
    ada: Any, how: str, when: str
) -> None:
    await get_process().start()
    browser = await browser_of(ada)
    ticket = ticket_for(ada, session=key_of(browser))

    async def end() -> None:
        match how:
            case "active":
                ada.is_active = False
                await ada.asave()
            case "password":
                await in_thread(ada.set_password)("x")
                await ada.asave()
            case "deleted":
                await ada.adelete()
            case "session":
                await browser.alogout()

    if when == "before":
        await end()
        socket = await show(ticket)
    else:
        socket = await show(ticket)
        assert await is_let_in(socket)
        await end()
    assert await closing_code(socket, 1) == CloseCode.NOT_LOGGED_IN


@pytest.mark.parametrize("kind", ["db", "signed_cookies", "cache"])
async def test_a_ticket_of_no_session_ends_with_its_user(
    ada: Any, settings: Settings, kind: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{kind}"
    socket = await show(ticket_for(ada))
    assert await is_let_in(socket)
    await check_sockets()
    await socket.send_json_to({"say": 1})
    assert await socket.receive_json_from(WAIT) == [{"said": 1}]  # it is in still
    await type(ada).objects.filter(pk=ada.pk).aupdate(is_active=False)
    await check_sockets()
    assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN


async def test_it_can_be_disconnected(ada: Any) -> None:
    browser = await browser_of(ada)
    by_user = await show(ticket_for(ada))
    by_session = await show(ticket_for(ada, session=key_of(browser)))
    assert await is_let_in(by_user)
    assert await is_let_in(by_session)
    disconnect(session=key_of(browser))
    assert await closing_code(by_session, 1) == CloseCode.NOT_LOGGED_IN
    disconnect(session="None")
    disconnect(user=ada.pk, code=CloseCode.NOT_ALLOWED)
    assert await closing_code(by_user, 1) == CloseCode.NOT_ALLOWED


def test_a_ticket_does_not_tell_its_session(ada: Any) -> None:
    ticket = ticket_for(ada, session="s3cret")
    signed = signing.TimestampSigner(salt=tickets.SALT, sep=".").unsign_object(ticket)
    assert "s3cret" not in str(signed)


async def test_two_subprotocols_are_expected(ada: Any) -> None:
    good = ticket_for(ada)
    for offered in (
        ["ticket"],
        ["ticket", good, good],
        [good, "ticket"],
        ["ticket", "ticket"],
        ["mine", "ticket", good],
        ["ticket", "x" * 5000],
    ):
        socket = client(*offered)
        assert await socket.connect(WAIT) == (True, "ticket")
        assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN, offered


async def test_a_first_frame_without_a_ticket_is_the_last() -> None:
    for frame, code in [
        ("ping", CloseCode.NOT_LOGGED_IN),
        ("{}", CloseCode.NOT_LOGGED_IN),
        ('"ticket"', CloseCode.NOT_LOGGED_IN),
        ('{"ticket": {"ticket": 1}}', CloseCode.NOT_LOGGED_IN),
        ("[" * 10_000, CloseCode.NOT_LOGGED_IN),
        ("x" * 20_000, CloseCode.MESSAGE_TOO_BIG),
    ]:
        socket = client()
        assert await socket.connect(WAIT) == (True, None)
        await socket.send_to(text_data=frame)
        assert await closing_code(socket) == code, frame
    socket = client()
    assert await socket.connect(WAIT) == (True, None)
    await socket.send_to(bytes_data=b"{}")
    assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN


async def test_a_first_frame_is_not_waited_for_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tickets, "PATIENCE", 0.1)
    socket = client()
    assert await socket.connect(WAIT) == (True, None)
    assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN


async def test_who_leaves_before_the_first_frame_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = client()
    assert await socket.connect(WAIT) == (True, None)
    await socket.disconnect()
    assert "Traceback" not in caplog.text


async def test_who_opens_too_many_is_refused_before_a_ticket_is_waited_for(
    ada: Any, tune: Any
) -> None:
    tune(SOCKETS_PER_SECOND=1)
    apps = only(OrdersConsumer.as_asgi(), authenticate=ticket_login, origins=any_origin)
    for _ in range(100):
        await (one := client(application=apps)).connect(WAIT)
        await one.disconnect()
    assert not (await client(application=apps).connect(WAIT))[0]


async def test_who_logs_out_over_a_socket_of_no_session_is_nobody(ada: Any) -> None:
    class Leaving(Consumer):
        async def enter(self) -> None:
            await logout(self.scope)
            self.push(str(self.scope["user"].is_anonymous))

    leaving = only(Leaving.as_asgi(), authenticate=ticket_login, origins=any_origin)
    socket = await show(ticket_for(ada), application=leaving)
    assert await socket.receive_from(WAIT) == "True"
    await socket.disconnect()


async def test_the_view_hands_out_a_ticket(ada: Any, bob: Any) -> None:
    browser = await browser_of(ada)
    request = RequestFactory().get("/")
    request.session, request.user = browser.session, ada
    answer = await in_thread(ticket_view)(request)
    assert "no-store" in answer["Cache-Control"]
    content = json.loads(answer.content)
    assert content["expires_in"] == tickets.MAX_AGE
    socket = await show(content["ticket"])
    assert await is_let_in(socket)
    await browser.alogout()
    assert await closing_code(socket, 1) == CloseCode.NOT_LOGGED_IN

    # An API knows another user than the cookie does.
    request = RequestFactory().get("/")
    request.session, request.user = (await browser_of(ada)).session, bob
    ticket = json.loads((await in_thread(ticket_view)(request)).content)["ticket"]
    socket = await show(ticket)
    assert await is_let_in(socket, "bob")
    await socket.disconnect()

    request.user = AnonymousUser()
    assert (await in_thread(ticket_view)(request)).status_code == 401
    assert (await in_thread(ticket_view)(RequestFactory().post("/"))).status_code == 405


def test_nobody_has_a_ticket(ada: Any) -> None:
    for user in (AnonymousUser(), type(ada)(username="new")):
        with pytest.raises(ValueError, match="Expected a user who is in the database"):
            ticket_for(user)


async def test_a_project_says_who_may_enter_and_from_where(ada: Any) -> None:
    async def token_login(request: HttpRequest, scope: Any) -> Any:
        token = request.headers.get("Authorization")
        if token == "no":
            raise Refused(CloseCode.NOT_ALLOWED)
        return ada if token == "yes" else None

    def from_apps(request: HttpRequest) -> bool:
        return "Origin" not in request.headers

    application = only(
        OrdersConsumer.as_asgi(), authenticate=token_login, origins=from_apps
    )
    for token, origin, name in [
        ("yes", "", "ada"),  # who is inactive afterwards, and so nobody
        ("yes", "", ""),
        ("", "", ""),
        ("yes", "http://testserver", None),
    ]:
        given = {"host": "testserver", "origin": origin, "authorization": token}
        headers = [(k.encode(), v.encode()) for k, v in given.items() if v]
        socket = WebsocketCommunicator(application, "/", headers)
        is_open, _ = await socket.connect(WAIT)
        assert is_open == (name is not None)
        if name is not None:
            assert await is_let_in(socket, name)
            if name:
                await type(ada).objects.filter(pk=ada.pk).aupdate(is_active=False)
                await check_sockets()
                assert await closing_code(socket) == CloseCode.NOT_LOGGED_IN
                ada.is_active = False
            await socket.disconnect()
    socket = WebsocketCommunicator(
        application, "/", [(b"host", b"testserver"), (b"authorization", b"no")]
    )
    assert (await socket.connect(WAIT))[0]
    assert await closing_code(socket) == CloseCode.NOT_ALLOWED


async def test_what_would_let_in_anybody_is_an_error() -> None:
    async def is_allowed(request: HttpRequest) -> bool:
        return False

    with pytest.raises(ValueError, match="every page on the web"):
        websocket_application([], authenticate=session_login, origins=any_origin)
    with pytest.raises(TypeError, match="sync function, got origins="):
        websocket_application([], origins=is_allowed)  # type: ignore[arg-type]
    websocket_application([], authenticate=ticket_login, origins=same_origin)


async def test_a_page_that_asks_why_takes_no_ticket(ada: Any) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"x-socket-origin", b"http://elsewhere")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    await APPS(scope, None, send)
    assert json.loads(sent[-1]["body"]) == {"reason": ""}
