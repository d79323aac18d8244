"""Many questions in one call."""

import asyncio
import gc
from collections.abc import Collection

import pytest

from channels_live.base.batch import Batch


class Work:
    """Doubles numbers, as long as it may, and notes what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may = asyncio.Event()

    async def __call__(self, numbers: Collection[int]) -> dict[int, int]:
        self.asked.append(list(numbers))
        await self.may.wait()
        if 13 in numbers:
            raise ValueError("not thirteen")
        return {number: 2 * number for number in numbers if number}


async def begin(
    batch: Batch[int, int], *numbers: int
) -> list[asyncio.Task[int | None]]:
    """Ask for numbers, one by one, while what was asked before goes on."""
    asking = [asyncio.create_task(batch.get(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return asking


async def test_what_comes_during_a_call_shares_the_next() -> None:
    work = Work()
    batch = Batch(work)

    first = await begin(batch, 1)
    assert work.asked == [[1]]
    others = await begin(batch, 2, 3) + await begin(batch, 0)
    work.may.set()

    assert await asyncio.gather(*first, *others) == [2, 4, 6, None]
    assert work.asked == [[1], [2, 3, 0]]


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    work = Work()
    batch = Batch(work)

    first, second = await begin(batch, 1, 2)
    first.cancel()
    work.may.set()

    assert await second == 4


async def test_a_failure_is_told_to_all_and_does_not_last() -> None:
    work = Work()
    batch = Batch(work)
    work.may.set()

    for asking in await begin(batch, 1, 13):
        with pytest.raises(ValueError, match="not thirteen"):
            await asking

    assert await batch.get(2) == 4


async def test_an_error_that_nobody_waits_for_any_more_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work()

    (asking,) = await begin(Batch(work), 13)
    asking.cancel()
    work.may.set()
    await asyncio.wait([asking])
    del asking
    await asyncio.sleep(0.01)
    gc.collect()

    assert work.asked == [[13]]
    assert caplog.records == []
