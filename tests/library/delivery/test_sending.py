"""Messages that wait for each other go as one; nobody's is lost or sent twice."""

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from channels_live import apublish
from channels_live.base.messages import Kind, Message
from channels_live.delivery import sending
from tests.library.helpers.layers import use


class SlowLayer(InMemoryChannelLayer):
    """Takes its time, and remembers what it was given."""

    sent: ClassVar[list[dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append(message)
        await asyncio.sleep(0.02)


@pytest.fixture
def sent(settings: Settings) -> Iterator[list[dict[str, Any]]]:
    use(SlowLayer, settings)
    yield SlowLayer.sent
    SlowLayer.sent.clear()


def texts(message: dict[str, Any]) -> list[str]:
    return [html for html, _ in message["pairs"]]


async def test_what_comes_while_one_is_sent_goes_together_and_in_order(
    sent: list[dict[str, Any]],
) -> None:
    names = [f"<b>{number}</b>" for number in range(10)]

    await asyncio.gather(*(apublish("news", name) for name in names))
    await apublish("news", "<b>later</b>")

    assert [texts(one) for one in sent] == [names[:1], names[1:], ["<b>later</b>"]]
    assert all(one["published"] for one in sent)


async def test_so_does_what_many_send_one_after_the_other(
    sent: list[dict[str, Any]],
) -> None:
    async def talk(name: str) -> None:
        for number in range(5):
            await apublish("news", f"{name} {number}")

    await asyncio.gather(*(talk(name) for name in "abcdef"))

    assert sum(len(one["pairs"]) for one in sent) == 5 * 6
    assert len(sent) < 10


async def test_no_message_becomes_too_large(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TOGETHER", 4)

    await asyncio.gather(*(apublish("news", str(number)) for number in range(10)))

    assert [len(one["pairs"]) for one in sent] == [1, 4, 4, 1]


async def test_only_what_is_alike_goes_together(sent: list[dict[str, Any]]) -> None:
    told = Message(Kind.DISCONNECT, labels=["user:1"], code=4401)
    others = [
        Message(Kind.FRAGMENTS, "news", [("<b>1</b>", 0)]),
        Message(Kind.EVENTS, "news", [("[1]", 0)]),
        told,
        told._replace(labels=["user:2"]),
    ]

    await asyncio.gather(*(sending.send("news", one) for one in others))

    assert sent == [one.encode() for one in others]


async def test_who_is_cancelled_takes_nothing_from_the_others(
    sent: list[dict[str, Any]],
) -> None:
    tasks = [asyncio.create_task(apublish("news", str(one))) for one in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()

    done = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(one, BaseException) for one in done] == [0, 1, 0, 0]
    assert [texts(one) for one in sent] == [["0"], ["2", "3"]]
    assert not sending._waiting[asyncio.get_running_loop()]
