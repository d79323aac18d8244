"""What is published for one person reaches all their sockets, and nobody else's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from channels_live import apublish, disconnect, publish, user_group
from channels_live.observe.outage import layer_outage
from channels_live.testing import WAIT
from tests.library.helpers.browsing import browser_of, open_inbox
from tests.library.helpers.consumers import ShoutConsumer

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
    assert layer_outage.parts == []
