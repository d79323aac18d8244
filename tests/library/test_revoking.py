"""Within a second, a socket goes with the login that opened it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.conf import settings
from django.contrib.auth import alogin, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from channels_live import (
    CloseCode,
    Fragment,
    apublish,
    conf,
    disconnect,
    history_changed,
    in_thread,
    publish,
    user_group,
)
from channels_live.base.messages import Kind, Message
from channels_live.base.threads import in_own_thread
from channels_live.commands import follow_users
from channels_live.delivery.sending import EVERYBODY, get_layer
from channels_live.live.changes import write
from channels_live.models import Change
from channels_live.observe.outage import database_outage, layer_outage
from channels_live.process import LOOK_INTERVAL, get_process
from channels_live.testing import WAIT
from tests.library.helpers import layers
from tests.library.helpers.browsing import (
    answers,
    browser_of,
    closing_code,
    connect,
    key_of,
    open_inbox,
)
from tests.library.helpers.listening import ListHistory, listen

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1
OWN_THREADS = 3
MAX_SOCKETS: int = conf.DEFAULTS["SOCKETS_PER_USER"]  # type: ignore[assignment]

Open = Callable[..., Any]


@pytest.fixture
async def inbox_of(transactional_db: None) -> AsyncIterator[Open]:
    """Opens a socket in a browser, or in a new browser of somebody's."""
    sockets: list[WebsocketCommunicator] = []

    async def open_socket(whose: Any) -> WebsocketCommunicator:
        client = whose if isinstance(whose, Client) else await browser_of(whose)
        sockets.append(await open_inbox(client))
        return sockets[-1]

    yield open_socket
    for socket in sockets:
        await socket.disconnect()


async def test_logout_closes_the_sockets_of_its_browser_alone(
    ada: Any, bob: Any, inbox_of: Open
) -> None:
    client = await browser_of(ada)
    first, second = await inbox_of(client), await inbox_of(client)
    elsewhere, bobs = await inbox_of(ada), await inbox_of(bob)

    await client.alogout()

    assert await closing_code(first, SECOND) == 4401
    assert await closing_code(second, SECOND) == 4401
    assert await answers(elsewhere)
    assert await answers(bobs)


async def change_password(user: Any) -> None:
    user.set_unusable_password()
    await user.asave()


async def deactivate(user: Any) -> None:
    user.is_active = False
    await user.asave()


async def delete(user: Any) -> None:
    await user.adelete()


@pytest.mark.parametrize(
    "end", [change_password, deactivate, delete], ids=lambda end: end.__name__
)
async def test_the_end_of_all_logins_closes_all_sockets(
    ada: Any, bob: Any, inbox_of: Open, end: Any
) -> None:
    first, second, bobs = [await inbox_of(one) for one in (ada, ada, bob)]

    await end(ada)

    assert await closing_code(first, SECOND) == 4401
    assert await closing_code(second, SECOND) == 4401
    assert await answers(bobs)


def test_a_revocation_commits_with_its_change(ada: Any) -> None:
    with transaction.atomic():
        ada.is_active = False
        ada.save()

        assert Change.objects.filter(subject__contains=f"user:{ada.pk}").exists()


async def test_who_logs_in_over_another_login_closes_its_sockets(
    ada: Any, bob: Any, inbox_of: Open
) -> None:
    browser = await browser_of(ada)
    inbox = await inbox_of(browser)
    request = RequestFactory().get("/")
    request.COOKIES.update({name: one.value for name, one in browser.cookies.items()})
    request.session = SessionStore(key_of(browser))

    await alogin(request, bob, settings.AUTHENTICATION_BACKENDS[0])
    await request.session.asave()

    assert await closing_code(inbox, SECOND) == 4401
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(request.session.session_key)
    assert await answers(await inbox_of(browser))


async def test_what_is_said_in_a_transaction_is_told_on_commit(
    ada: Any, inbox_of: Open
) -> None:
    history, loop = ListHistory("secret"), asyncio.get_running_loop()
    inbox = await inbox_of(ada)
    listening = partial(listen, history=history, after=0)

    def edit() -> None:
        with transaction.atomic():
            history_changed("here")
            disconnect(user=ada.pk, code=CloseCode.SERVICE_RESTART)
            asyncio.run_coroutine_threadsafe(listening(), loop).result(WAIT)
            history.fragments[0] = Fragment("edited", 1)
            assert asyncio.run_coroutine_threadsafe(answers(inbox), loop).result(WAIT)

    await in_thread(edit)()

    assert await closing_code(inbox, SECOND) == 1012
    assert (await listening()).heard == "edited"


async def test_who_must_leave_hears_nothing_that_is_said_afterwards(
    ada: Any, inbox_of: Open
) -> None:
    inbox = await inbox_of(ada)

    def remove() -> None:
        with transaction.atomic():
            disconnect(user=ada.pk)
        publish(user_group(ada.pk), "secret")

    await in_thread(remove)()

    output = await inbox.receive_output(SECOND)
    assert output["type"] == "websocket.close"


@pytest.fixture
def customers() -> Iterator[Any]:
    """A proxy of the user model, as a project may have in its admin."""
    meta = type("Meta", (), {"proxy": True, "app_label": "users"})
    name, bases = "Customer", (get_user_model(),)
    yield type(name, bases, {"__module__": __name__, "Meta": meta})
    apps.all_models["users"].pop("customer")
    apps.clear_cache()


async def test_who_is_saved_as_a_customer_leaves_too(
    customers: Any, ada: Any, inbox_of: Open
) -> None:
    follow_users()  # as when the server starts
    inbox = await inbox_of(ada)

    customer = await customers.objects.aget(pk=ada.pk)
    customer.is_active = False
    await customer.asave()

    assert await closing_code(inbox, SECOND) == 4401


async def test_a_change_that_is_rolled_back_is_not_told(ada: Any) -> None:
    await get_process().start()
    layer: Any = get_layer()
    channel = await layer.new_channel()
    await layer.group_add(EVERYBODY, channel)

    @database_sync_to_async
    def change_of_mind() -> None:
        with transaction.atomic():
            ada.is_active = False
            ada.save()
            transaction.set_rollback(True)

    await change_of_mind()
    disconnect(group="the-first-that-is-told")

    assert "the-first-that-is-told" in str(await layer.receive(channel))


async def test_another_login_and_a_rename_close_nothing(
    ada: Any, inbox_of: Open
) -> None:
    socket = await inbox_of(ada)

    await browser_of(ada)
    ada.username = "countess"
    await ada.asave()

    assert await answers(socket)


async def test_an_expired_login_is_found_by_looking(
    ada: Any, bob: Any, inbox_of: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.CHECK_INTERVAL", 0.02)
    client = await browser_of(ada)
    adas, bobs = await inbox_of(client), await inbox_of(bob)

    session = await client.asession()
    await session.aset_expiry(timezone.now() - timedelta(seconds=1))
    await session.asave()

    assert await closing_code(adas) == 4401
    assert await answers(bobs)


async def test_a_message_that_was_lost_is_made_good_by_looking(
    ada: Any, inbox_of: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.CHECK_INTERVAL", 0.02)
    socket = await inbox_of(ada)

    # Sends no signal, and so no message.
    await get_user_model().objects.filter(pk=ada.pk).aupdate(is_active=False)

    assert await closing_code(socket) == 4401


async def test_code_may_close_sockets_of_its_choice(
    ada: Any, bob: Any, inbox_of: Open
) -> None:
    adas, bobs = await inbox_of(ada), await inbox_of(bob)

    disconnect(user=ada.pk, group=user_group(bob.pk))
    disconnect(user=ada.pk, group=user_group(ada.pk), code=CloseCode.NOT_ALLOWED)

    assert await closing_code(adas, SECOND) == 4403
    disconnect(session="nobody's")
    assert await answers(bobs)


async def test_to_close_everything_is_an_error() -> None:
    with pytest.raises(ValueError, match="a session, a user or a group"):
        disconnect()


async def test_of_too_many_sockets_the_newest_waits(ada: Any, inbox_of: Open) -> None:
    client = await browser_of(ada)
    first, *others = [await inbox_of(client) for _ in range(MAX_SOCKETS)]
    one_more = await connect("/ws/inbox/", client)

    assert await closing_code(one_more, SECOND) == 1013
    assert await answers(first)

    await one_more.disconnect()
    await first.disconnect()
    assert await answers(await inbox_of(client))
    assert await answers(others[-1])


@pytest.mark.parametrize("how", ["disconnect", "recheck"])
async def test_who_has_to_leave_is_found_in_the_database_from_the_first_socket_on(
    ada: Any, inbox_of: Open, settings: Settings, how: str
) -> None:
    layers.use(layers.BrokenLayer, settings)
    socket = await inbox_of(ada)
    users = get_user_model().objects.filter(pk=ada.pk)
    await users.aupdate(is_active=how == "disconnect")

    await elsewhere(Message(Kind(how), labels=[f"user:{ada.pk}"], code=4403))

    expected = 4403 if how == "disconnect" else 4401
    assert await closing_code(socket, SECOND) == expected


async def test_what_was_told_by_the_channel_layer_is_not_told_again(
    ada: Any, inbox_of: Open
) -> None:
    first = await inbox_of(ada)
    disconnect(user=ada.pk)
    assert await closing_code(first, SECOND) == 4401

    second = await inbox_of(ada)
    await asyncio.sleep(3 * LOOK_INTERVAL)

    rows = Change.objects.filter(subject__contains=Kind.DISCONNECT)
    assert await rows.acount() == 1
    assert await answers(second)


def hang(seconds: float) -> list[asyncio.Task[None]]:
    """Keep the threads busy that ask the database who has to leave."""
    sleep = in_own_thread(time.sleep)
    return [asyncio.create_task(sleep(seconds)) for _ in range(OWN_THREADS)]


async def test_who_may_have_to_leave_comes_back_if_the_database_does_not_say(
    ada: Any, bob: Any, inbox_of: Open
) -> None:
    adas, bobs = await inbox_of(ada), await inbox_of(bob)
    hanging = hang(3 * SECOND)

    get_process().hear(Message(Kind.RECHECK, labels=[f"user:{ada.pk}"]))

    assert await closing_code(adas, 2 * SECOND) == CloseCode.SERVICE_RESTART
    assert await answers(bobs)
    await asyncio.gather(*hanging)


async def test_nothing_is_delivered_while_nothing_says_who_has_to_leave(
    ada: Any, inbox_of: Open
) -> None:
    socket = await inbox_of(ada)
    hanging = hang(4 * SECOND)
    await asyncio.sleep(2 * SECOND)

    await apublish(user_group(ada.pk), "by the channel layer")
    assert await socket.receive_from() == "by the channel layer"

    layer_outage.begin(ConnectionError())
    layer_outage.end()
    await apublish(user_group(ada.pk), "by nobody knows")
    assert await socket.receive_nothing()

    await asyncio.gather(*hanging)
    await asyncio.sleep(3 * LOOK_INTERVAL)
    await apublish(user_group(ada.pk), "when all is known")
    assert await socket.receive_from() == "when all is known"


async def elsewhere(message: Message) -> None:
    """Write down what another process tells, which no channel layer carries."""
    message = message._replace(published=1.0)
    await in_thread(write)([message.as_subject()], None)


def test_a_command_says_whom_it_could_not_tell(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    layers.use(layers.BrokenLayer, settings)
    disconnect(session="s3cret")
    assert "were not told" not in caplog.text

    def fail(subjects: list[str], using: None) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("channels_live.commands.write", fail)
    disconnect(session="s3cret")
    assert caplog.text.count("processes were not told: disconnect.") == 1
    assert "s3cret" not in caplog.text
    database_outage.end()
