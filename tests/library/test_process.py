"""What a process does again and again, whatever happens meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Self

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django import Settings

from channels_live import CloseCode, Fragment, apublish
from channels_live.base.messages import Kind, Message
from channels_live.delivery.sending import get_layer
from channels_live.process import Process, every, get_process
from channels_live.testing import WAIT, check_sockets, has_entered
from tests.library.helpers import layers
from tests.library.helpers.browsing import closing_code, only, socket_of
from tests.library.helpers.consumers import ShoutConsumer
from tests.library.helpers.layers import DeafLayer, ForgetfulLayer
from tests.library.helpers.listening import ListHistory, listen


async def repeat(job: Callable[[], Awaitable[None]], done: asyncio.Event) -> None:
    """Do a job every moment until it says that it is done."""
    repeating = asyncio.create_task(every(0.001, job))
    async with asyncio.timeout(WAIT):
        await done.wait()
    repeating.cancel()


async def test_a_job_that_fails_is_logged_and_done_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    results = iter([ValueError("oops"), None])

    async def water_the_plants() -> None:
        if error := next(results):
            raise error
        done.set()

    with caplog.at_level(logging.ERROR):
        await repeat(water_the_plants, done)

    assert "The job water_the_plants fails; trying again." in caplog.text
    assert "oops" in caplog.text


async def test_a_bug_is_logged_once_and_again_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    bug = ValueError("oops")
    results = [bug, bug, None, bug, bug, None]

    async def water_the_plants() -> None:
        if error := results.pop(0):
            raise error
        if not results:
            done.set()

    with caplog.at_level(logging.ERROR):
        await repeat(water_the_plants, done)

    assert caplog.text.count("The job water_the_plants fails") == 2


async def test_an_outage_of_the_database_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    results = iter([OperationalError("a"), InterfaceError("b"), OperationalError("c")])

    async def query() -> None:
        if error := next(results, None):
            raise error
        done.set()

    with caplog.at_level(logging.INFO, "channels_live"):
        await repeat(query, done)

    (said,) = [record.getMessage() for record in caplog.records]
    assert said == (
        "The database cannot be used (OperationalError: a). "
        "Sockets stay open; pages have to repeat frames that need it."
    )


async def test_a_process_leaves_though_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr("channels_live.presence.in_own_thread", lambda function: fail)

    await get_process().end()

    assert "The database cannot be used" in caplog.text


async def test_a_history_that_changed_is_read_anew_though_no_message_is_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history, process = ListHistory("secret"), get_process()
    await listen(history=history, after=0)
    history.fragments[0] = Fragment("edited", 1)

    monkeypatch.setattr(Process, "is_blind", True)
    process.hear(Message(Kind.HISTORY_CHANGED, "here", sender="another"))

    assert (await listen(history=history, after=0)).heard == "edited"


@pytest.fixture
async def layer(settings: Settings) -> ForgetfulLayer:
    layers.use(ForgetfulLayer, settings)
    layer = get_layer()
    assert isinstance(layer, ForgetfulLayer)
    return layer


async def test_subscriptions_are_renewed(
    layer: ForgetfulLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    monkeypatch.setattr("channels_live.process.RENEWAL_INTERVAL", 0.01)
    listener = await listen()

    layer.forget()
    await asyncio.wait_for(layer.was_joined.wait(), WAIT)
    await apublish("here", "hello")

    await listener.hears("hello")


async def test_a_subscription_that_failed_is_tried_again(
    layer: ForgetfulLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    monkeypatch.setattr("channels_live.observe.outage.RETRY_AFTER", 0)
    layer.refuses = True
    listener = await listen()

    layer.refuses = False
    await asyncio.wait_for(layer.was_joined.wait(), WAIT)
    await apublish("here", "hello")

    await listener.hears("hello")


async def test_connections_that_bring_nothing_are_opened_anew(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    layers.use(DeafLayer, settings)
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    monkeypatch.setattr("channels_live.delivery.bus.SILENCE", 0.1)
    monkeypatch.setattr("channels_live.observe.outage.TIMEOUT", 0.1)
    listener = await listen()
    layer = get_layer()

    layer.was_joined.clear()
    layer.is_deaf = True
    await asyncio.wait_for(layer.was_joined.wait(), WAIT)
    await apublish("here", "hello")

    await listener.hears("hello")
    assert caplog.text.count("Connections to the channel layer are dead") == 1


async def test_a_history_that_fails_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    histories = [ListHistory() for _ in range(3)]
    broken = histories[0]
    listeners = [
        await listen(f"group{number}", history=history, after=0)
        for number, history in enumerate(histories)
    ]

    async def fail(groups: Collection[str]) -> dict[str, int]:
        raise RuntimeError("not thought of")

    monkeypatch.setattr(broken, "last_numbers", fail)
    for history in histories:
        history.add("a")

    for listener in listeners[1:]:
        await listener.hears("a")
    await asyncio.sleep(0.05)
    assert caplog.text.count("The job repair fails; trying again.") == 1


@pytest.mark.django_db
async def test_a_consumer_that_fails_to_tell_who_may_stay_keeps_no_other() -> None:
    class Failing(ShoutConsumer):
        @classmethod
        def revoked(cls, consumers: Collection[Self]) -> dict[Self, int]:
            raise RuntimeError("not thought of")

    def closing() -> type[ShoutConsumer]:
        class Closing(ShoutConsumer):
            @classmethod
            def revoked(cls, consumers: Collection[Self]) -> dict[Self, int]:
                return dict.fromkeys(consumers, CloseCode.NOT_ALLOWED)

        return Closing

    kinds: list[type[ShoutConsumer]] = [Failing, *(closing() for _ in range(9))]
    sockets = [socket_of("/", application=only(kind.as_asgi())) for kind in kinds]
    for socket in sockets:
        assert await socket.connect(WAIT) == (True, None)
        await has_entered(socket)

    with pytest.raises(RuntimeError, match="not thought of"):
        await check_sockets()

    for socket in sockets[1:]:
        assert await closing_code(socket) == 4403
    await has_entered(sockets[0])
