"""How numbered fragments reach a socket: each once, and in order."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest
from django.db import OperationalError

from channels_live import CloseCode, Fragment, Refused, apublish
from channels_live.delivery.group import CATCH_UP, PATIENCE, RECENT
from channels_live.observe.outage import database_outage
from channels_live.process import get_process
from tests.library.helpers.listening import ListHistory, listen, publish_numbers
from tests.library.helpers.waiting import until


async def test_fragments_arrive_in_the_order_of_their_numbers() -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b", "c", "d")

    await publish_numbers(history, 2, 4, 1, 3)

    await listener.hears("d")
    assert listener.heard == "abcd"


async def test_a_gap_is_filled_from_the_history() -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b", "c")

    await publish_numbers(history, 3)

    await listener.hears("c")
    assert listener.heard == "abc"


async def test_a_number_that_was_deleted_is_not_waited_for() -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b", "c", "d")
    del history.fragments[1]

    await apublish("here", Fragment("a", 1))
    await apublish("here", Fragment("c", 3))
    await apublish("here", Fragment("d", 4))

    await listener.hears("d")
    assert listener.heard == "acd"


async def test_what_comes_twice_is_shown_once() -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b", "c")

    await publish_numbers(history, 1, 1, 2, 1, 2, 3)

    await listener.hears("c")
    assert listener.heard == "abc"


async def test_who_comes_while_the_history_is_read_gets_nothing_twice() -> None:
    history = SlowHistory("a", "b", "c")
    history.release.clear()
    first = asyncio.create_task(listen(history=history, after=0))
    await history.asked.wait()

    entering = asyncio.create_task(listen(history=history, after=2))
    await asyncio.sleep(0)
    history.release.set()

    assert (await first).heard == "abc"
    assert (await entering).heard == "c"


async def test_what_is_stored_and_not_yet_published_comes_once() -> None:
    history = ListHistory("a", "b")
    await listen(history=history, after=0)
    get_process().hub.groups["here"].history_changed()
    history.add("c")

    late = await listen(history=history, after=0)
    await publish_numbers(history, 3)

    await late.hears("c")
    await apublish("here", "(end)")
    await late.hears("(end)")
    assert late.heard == "abc(end)"


async def test_a_page_that_is_ahead_of_its_process_gets_nothing_twice() -> None:
    history = ListHistory("a")
    await listen(history=history, after=0)
    history.add("b", "c")  # which another process published

    late = await listen(history=history, after=2)

    assert late.heard == "c"


async def test_what_the_channel_layer_lost_arrives_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    history = ListHistory("a")
    listener = await listen(history=history, after=1)

    history.add("b", "c")

    await listener.hears("c")
    assert listener.heard == "bc"


async def test_a_failing_database_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    history = FailingHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b")
    history.failures = 3

    await publish_numbers(history, 2)

    await listener.hears("b")
    assert listener.heard == "ab"
    assert history.failures == 0


async def test_a_number_that_was_never_stored_is_asked_for_once() -> None:
    history = CountingHistory("a")
    listener = await listen(history=history, after=1)
    history.asked = 0

    await apublish("here", Fragment("never stored", 9))
    await until(lambda: history.asked)
    await asyncio.sleep(10 * PATIENCE)

    assert history.asked == 1
    history.add("b")
    await publish_numbers(history, 2)
    await listener.hears("b")
    assert listener.heard == "b"


class CountingHistory(ListHistory):
    asked = 0

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        self.asked += 1
        return await super().last_numbers(groups)


async def test_a_history_that_went_back_sends_the_sockets_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    history = ListHistory("a", "b", "c")
    await listen(history=history, after=3)
    told = send_away(monkeypatch)

    del history.fragments[1:]

    await until(lambda: told)
    assert told == [("group:here",)]
    # Whoever comes back has a page of the history as it is.
    again = await listen(history=history, after=1)
    history.add("other b")
    await publish_numbers(history, 2)
    await again.hears("other b")
    assert again.heard == "other b"


async def test_a_history_that_goes_back_again_sends_them_away_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = ListHistory("a", "b", "c")
    told = send_away(monkeypatch)

    for shown in (3, 2):
        await listen(history=history, after=shown)
        history.fragments.pop()
        await get_process().hub.repair()

    assert told == [("group:here",)] * 2


async def test_a_number_that_says_something_else_sends_the_sockets_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = ListHistory("a", "b", "c")
    await listen(history=history, after=1)
    told = send_away(monkeypatch)

    await apublish("here", Fragment("b", 2))
    await apublish("here", Fragment("other b", 2))

    await until(lambda: told)
    assert told == [("group:here",)]


async def test_an_old_number_sends_the_sockets_away_once_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = ListHistory("a", "b", "c")
    listener = await listen(history=history, after=3)
    told = send_away(monkeypatch)

    await apublish("here", Fragment("c", 3), "late")
    await listener.hears("late")
    assert told == []
    database_outage.begin(OperationalError("another takes over, without the last"))
    database_outage.end()
    await apublish("here", Fragment("other c", 3))

    await until(lambda: told)
    assert told == [("group:here",)]


def send_away(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Note the labels of sockets that are sent away to come back."""
    told: list[tuple[str, ...]] = []

    def revoke(labels: Collection[str], code: int) -> None:
        assert code == CloseCode.SERVICE_RESTART
        told.append(tuple(labels))

    monkeypatch.setattr(get_process().registry, "revoke", revoke)
    return told


class TextHistory(ListHistory):
    async def load(self, group: str, after: int, limit: int) -> list[Any]:
        return [one.html for one in await super().load(group, after, limit)]


@pytest.mark.parametrize("missed", [5, 250])
async def test_a_history_without_numbers_is_an_error(missed: int) -> None:
    history = TextHistory(*(f"<{number}>" for number in range(300)))

    with pytest.raises(ValueError, match=r"the numbers .0, .*; expected numbers above"):
        await listen(history=history, after=300 - missed)


class FailingHistory(ListHistory):
    failures = 0

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        if self.failures:
            self.failures -= 1
            raise OperationalError("the database is away")
        return await super().last_numbers(groups)


async def test_a_newcomer_is_sent_what_came_after_its_page() -> None:
    history = ListHistory("a", "b", "c", "d")

    listener = await listen(history=history, after=2)

    assert listener.heard == "cd"


async def test_a_newcomer_without_a_page_is_sent_what_comes_from_now_on() -> None:
    history = ListHistory("a")
    listener = await listen(history=history)

    history.add("b")
    await publish_numbers(history, 2)

    await listener.hears("b")
    assert listener.heard == "b"


async def test_a_page_that_is_ahead_is_outdated() -> None:
    history = ListHistory("a", "b")
    for after in (3, 10**18):
        with pytest.raises(Refused, match="4409"):
            await listen(history=history, after=after)
    assert get_process().hub.groups == {}

    assert (await listen(history=history, after=2)).heard == ""


@pytest.mark.parametrize("missed", [1, RECENT, RECENT + 1, CATCH_UP])
async def test_however_much_was_missed_it_comes_once_and_in_order(missed: int) -> None:
    texts = [f"<{number}>" for number in range(1, CATCH_UP + 2)]
    history = ListHistory(*texts)
    await listen(history=history)

    listener = await listen(history=history, after=len(texts) - missed)

    assert listener.heard == "".join(texts[-missed:])


async def test_of_too_much_the_newcomer_is_told() -> None:
    texts = [f"<{number}>" for number in range(1, CATCH_UP + 12)]

    listener = await listen(history=ListHistory(*texts), after=1)

    assert listener.heard == "[skipped 2 to 11]" + "".join(texts[11:])


async def test_a_newcomer_misses_nothing_that_is_said_while_it_enters() -> None:
    texts = [f"<{number}>" for number in range(1, CATCH_UP + 1)]
    history = SlowHistory(*texts)
    first = await listen(history=history)
    history.release.clear()

    entering = asyncio.create_task(listen(history=history, after=0))
    await history.asked.wait()
    history.add("<new>")
    await publish_numbers(history, len(texts) + 1)
    await first.hears("<new>")
    history.release.set()
    newcomer = await entering
    history.add("<end>")
    await publish_numbers(history, len(texts) + 2)

    await newcomer.hears("<end>")
    assert newcomer.heard == "".join([*texts, "<new>", "<end>"])


class SlowHistory(ListHistory):
    """Reads what it returns at once, and returns it late."""

    def __init__(self, *texts: str) -> None:
        super().__init__(*texts)
        self.asked = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        loaded = await super().load(group, after, limit)
        self.asked.set()
        await self.release.wait()
        return loaded


async def test_passing_remarks_are_not_repeated_to_newcomers() -> None:
    history = ListHistory("a")
    first = await listen(history=history, after=0)
    await apublish("here", "(remark)")
    await first.hears("(remark)")

    second = await listen(history=history, after=0)

    assert first.heard == "a(remark)"
    assert second.heard == "a"


async def test_passing_remarks_do_not_wait_for_a_gap_to_close() -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b")

    await publish_numbers(history, 2)
    await apublish("here", "(remark)")

    await listener.hears("b")
    await listener.hears("(remark)")
    assert sorted([*listener.heard.replace("(remark)", "!")]) == ["!", "a", "b"]
