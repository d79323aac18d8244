"""Who hears what is published."""

import pytest
from asgiref.sync import sync_to_async

from channels_live import apublish, publish
from channels_live.process import get_process
from tests.library.helpers.listening import Listener, listen


async def test_every_socket_of_a_group_hears_it() -> None:
    listeners = [await listen() for _ in range(3)]

    await apublish("here", "hello")

    for listener in listeners:
        await listener.hears("hello")
        assert listener.frames == ["hello"]


async def test_sockets_of_another_group_hear_nothing() -> None:
    here = await listen("here")
    there = await listen("there")

    await apublish("here", "for here")
    await apublish("there", "for there")

    await there.hears("for there")
    await here.hears("for here")
    assert there.heard == "for there"
    assert here.heard == "for here"


async def test_sync_code_publishes_too() -> None:
    listener = await listen()

    await sync_to_async(publish)("here", "hello")

    await listener.hears("hello")


async def test_fragments_arrive_in_the_order_they_were_published() -> None:
    listener = await listen()
    texts = [f"<{number}>" for number in range(500)]

    for text in texts:
        await apublish("here", text)

    await listener.hears(texts[-1])
    assert listener.heard == "".join(texts)


async def test_the_first_fragment_goes_at_once_and_those_after_it_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.delivery.group.FRAME_WINDOW", 0.3)
    listener = await listen()

    await apublish("here", "a")
    await listener.hears("a")
    await apublish("here", "b")
    await apublish("here", "c")

    await listener.hears("c")
    assert listener.frames == ["a", "bc"]


async def test_who_left_hears_nothing() -> None:
    stays = await listen()
    leaves = await listen()

    await get_process().hub.quit("here", leaves.outbox)
    await apublish("here", "hello")

    await stays.hears("hello")
    assert leaves.heard == ""


async def test_a_group_that_everyone_left_can_be_joined_again() -> None:
    leaves = await listen()
    await get_process().hub.quit("here", leaves.outbox)
    await apublish("here", "to nobody")

    comes_back = await listen()
    await apublish("here", "to somebody")

    await comes_back.hears("to somebody")
    assert comes_back.heard == "to somebody"


async def test_leaving_a_group_that_was_never_joined_is_no_error() -> None:
    await get_process().hub.quit("nowhere", Listener().outbox)


async def test_a_closed_socket_does_not_disturb_the_others() -> None:
    closed = await listen()
    closed.outbox.close()
    stays = await listen()

    await apublish("here", "hello")

    await stays.hears("hello")
    assert closed.heard == ""
