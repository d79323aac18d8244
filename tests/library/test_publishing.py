"""What may be published, and whom it reaches."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from channels.testing import WebsocketCommunicator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from pytest_django import Settings

from channels_live import Fragment, apublish, disconnect, publish, user_group
from channels_live.observe.outage import layer_outage
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers import layers
from tests.library.helpers.browsing import browser_of, open_inbox
from tests.library.helpers.consumers import ShoutConsumer
from tests.library.helpers.listening import ListHistory, listen, publish_numbers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def sockets(ada: Any, bob: Any) -> AsyncIterator[list[WebsocketCommunicator]]:
    """Two sockets of Ada's, in two browsers, and one of Bob's."""
    sockets = [await open_inbox(await browser_of(one)) for one in (ada, ada, bob)]
    yield sockets
    for socket in sockets:
        await socket.disconnect()


async def test_one_person_is_told_in_every_tab(
    sockets: list[WebsocketCommunicator], ada: Any, bob: Any
) -> None:
    adas, adas_other, bobs = sockets

    await apublish(user_group(ada.pk), "<b>for Ada</b>")
    assert await adas.receive_from(WAIT) == "<b>for Ada</b>"
    assert await adas_other.receive_from(WAIT) == "<b>for Ada</b>"

    await apublish(user_group(bob.pk), "<b>for Bob</b>")
    assert await bobs.receive_from(WAIT) == "<b>for Bob</b>"


async def test_who_is_here_hears_it_at_once_whatever_the_channel_layer_does(
    settings: Settings,
) -> None:
    layers.use(layers.BrokenLayer, settings)
    history = ListHistory("one")
    here = await listen()
    numbered = await listen("numbered", history=history, after=0)

    await apublish("here", "hello")
    history.add("two")
    await apublish("numbered", history.fragments[-1])

    assert here.frames == ["hello"]
    assert numbered.frames == ["one", "two"]


async def test_who_is_here_hears_it_once() -> None:
    listener = await listen()

    await apublish("here", "hello")
    await get_process().hub.bus.echo()  # so the channel layer has brought it as well
    await apublish("here", "bye")
    await listener.hears("bye")

    assert listener.heard == "hellobye"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "café", "here\n", "x" * 100])
async def test_a_name_that_no_group_may_have_is_an_error_at_once(name: str) -> None:
    with pytest.raises(ValueError, match=r"up to 99 ASCII letters.*, got '"):
        publish(name, "hello")
    with pytest.raises(ValueError, match="up to 99"):
        await apublish(name, "hello")
    with pytest.raises(ValueError, match="up to 99"):
        disconnect(group=name)
    with pytest.raises(ValueError, match="up to 99"):
        await ShoutConsumer().join(name)

    await apublish("x" * 99, "hello")
    assert layer_outage.failed == {}


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        (gettext_lazy("Yes"), r"got __proxy__: .*Call str\(\) on a lazy string"),
        (UUID(int=7), r"got UUID: UUID\('00.*Call str\(\) on a lazy string or a UUID"),
        (b"<b>hello</b>", "got bytes: b'<b>hello</b>'"),
        (5, "got int: 5"),
        (None, "got NoneType: None"),
        (["hello"], "got list"),
        (Fragment(gettext_lazy("Yes")), "got __proxy__"),  # type: ignore[arg-type]
    ],
    ids=lambda value: f"{type(value).__name__}",
)
async def test_what_is_no_text_is_an_error_at_once_and_mutes_nobody(
    html: Any, sentence: str
) -> None:
    listener = await listen()

    with pytest.raises(TypeError, match=f"Expected HTML as str, {sentence}"):
        publish("here", "not sent, for all or nothing is", html)
    with pytest.raises(TypeError, match=f"Expected HTML as str, {sentence}"):
        await apublish("here", html)

    await apublish("here", SafeString("<b>hello</b>"))
    await listener.hears("<b>hello</b>")
    assert listener.heard == "<b>hello</b>"


@pytest.mark.parametrize("number", [-1, "1", 1.0, True, None])
async def test_a_bad_number_is_an_error_at_once_and_mutes_nobody(number: Any) -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)

    with pytest.raises(TypeError, match=f"number as int, got {number!r}"):
        publish("here", Fragment("a", number))
    with pytest.raises(TypeError, match=f"number as int, got {number!r}"):
        await apublish("here", Fragment("a", number))

    history.add("a")
    await publish_numbers(history, 1)
    await listener.hears("a")
    assert listener.heard == "a"
