"""What is slow holds up nobody else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from channels_live.base.threads import in_thread
from channels_live.testing import WAIT, open_live, open_socket
from tests.library.live.regions import Card, Staff, Text, User, gate
from tests.library.live.test_sockets import SOCKET, sign, watch

pytestmark = pytest.mark.django_db(transaction=True)


async def block(socket: WebsocketCommunicator, ada: Any, monkeypatch: Any) -> None:
    """Have two regions wait in all the threads that they may have."""

    def get_context(self: Staff, key: int) -> dict[str, Any]:
        return {"text": gate.wait(WAIT)}

    monkeypatch.setattr(Staff, "allows", lambda *args: True)
    monkeypatch.setattr(Staff, "get_context", get_context)
    gate.clear()
    for region in (Card, Staff):
        for number in range(4):
            await watch(socket, (sign(ada, region, 1000 + number), ""))
            await asyncio.sleep(0.02)


async def test_slow_regions_hold_up_their_own_pages_only(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On any machine, this is less than what slow regions would take of it.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    async with open_socket(SOCKET, ada) as socket:
        await block(socket, ada, monkeypatch)

        assert await asyncio.wait_for(in_thread(User.objects.count)(), WAIT / 2) == 1
        async with open_live(ada, Text, 1) as page:
            await sync_to_async(Text.changed)(1)
            assert page.html == "x"
        gate.set()
