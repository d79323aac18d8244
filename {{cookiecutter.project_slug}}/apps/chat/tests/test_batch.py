import asyncio
from collections.abc import Collection

import pytest

from apps.chat.batch import Batcher


class Work:
    """Doubles numbers, and counts the calls that it takes."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    async def __call__(self, numbers: Collection[int]) -> dict[int, int | Exception]:
        self.calls.append(list(numbers))
        await asyncio.sleep(0)
        if 0 in numbers:
            raise ZeroDivisionError
        return {one: 2 * one if one > 0 else ValueError(one) for one in numbers}


async def test_what_comes_during_a_call_shares_the_next() -> None:
    work = Work()
    batcher = Batcher(work, most=3)

    results = await asyncio.gather(*(batcher.submit("key", n) for n in range(1, 6)))

    assert results == [2, 4, 6, 8, 10]
    assert work.calls == [[1, 2, 3], [4, 5]]


async def test_what_comes_right_after_a_call_shares_the_next() -> None:
    calls: list[list[int]] = []
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def work(numbers: Collection[int]) -> dict[int, int]:
        calls.append(list(numbers))
        has_begun.set()
        await may_end.wait()
        return {one: one for one in numbers}

    async def submit_both() -> None:
        await batcher.submit("key", 1)
        await batcher.submit("key", 3)

    batcher = Batcher(work)
    first = asyncio.create_task(submit_both())
    await has_begun.wait()
    second = asyncio.create_task(batcher.submit("key", 2))
    await asyncio.sleep(0)

    may_end.set()
    await asyncio.gather(first, second)

    assert calls == [[1], [2, 3]]


async def test_keys_do_not_wait_for_each_other() -> None:
    both = asyncio.Barrier(2)

    async def meet(items: Collection[int]) -> dict[int, int]:
        await both.wait()
        return {item: item for item in items}

    batcher = Batcher(meet)

    async with asyncio.timeout(1):
        await asyncio.gather(batcher.submit("a", 1), batcher.submit("b", 2))


async def test_an_exception_among_the_results_is_raised_for_its_item_alone() -> None:
    batcher = Batcher(Work())

    results = await asyncio.gather(
        *(batcher.submit("key", n) for n in (1, -1, 2)), return_exceptions=True
    )

    assert results[0] == 2
    assert isinstance(results[1], ValueError)
    assert results[2] == 4


async def test_what_a_call_raises_is_raised_for_all_of_its_items() -> None:
    work = Work()
    batcher = Batcher(work)

    results = await asyncio.gather(
        *(batcher.submit("key", n) for n in (0, 1)), return_exceptions=True
    )

    assert [type(result) for result in results] == [ZeroDivisionError] * 2
    assert await batcher.submit("key", 3) == 6


async def test_who_gives_up_does_not_hold_up_others() -> None:
    work = Work()
    batcher = Batcher(work)
    impatient = asyncio.create_task(batcher.submit("key", 1))
    patient = asyncio.create_task(batcher.submit("key", 2))
    await asyncio.sleep(0)

    impatient.cancel()

    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
