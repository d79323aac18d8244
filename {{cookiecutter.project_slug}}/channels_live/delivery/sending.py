"""What a process tells the others, through the channel layer."""

import asyncio
from collections.abc import Callable
from itertools import islice, takewhile
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.layers import InMemoryChannelLayer, get_channel_layer

from channels_live import conf
from channels_live.base.messages import Message
from channels_live.base.tasks import is_server, serving
from channels_live.observe import outage
from channels_live.observe.outage import layer_outage

# The group that every process listens to.
EVERYBODY = "channels_live.everybody"
# Messages that go as one at most.
TOGETHER = 100

type PerLoop[T] = WeakKeyDictionary[asyncio.AbstractEventLoop, T]

_turns: PerLoop[WeakValueDictionary[tuple[str, str], asyncio.Lock]]
_turns = WeakKeyDictionary()
# The name of the process that an event loop serves, and how it acts on a message.
_here: PerLoop[tuple[str, Callable[[Message], None]]] = WeakKeyDictionary()
# By group, in their order.
_waiting: PerLoop[dict[str, dict[int, Message]]] = WeakKeyDictionary()


def get_layer() -> Any:
    """Return the channel layer that processes reach each other through."""
    return get_channel_layer(conf.get("CHANNEL_LAYER"))


def reaches_nobody() -> bool:
    """Whether no page hears what is sent: this is no server, and there is no Redis."""
    is_here = is_server.is_set() or serving
    return not is_here and isinstance(get_layer(), InMemoryChannelLayer)


def turn(what: str, group: str) -> asyncio.Lock:
    """Return a lock, so that something is done to a group once at a time."""
    loop = asyncio.get_running_loop()
    if (turns := _turns.get(loop)) is None:
        turns = _turns[loop] = WeakValueDictionary()
    if (lock := turns.get((what, group))) is None:
        lock = turns[what, group] = asyncio.Lock()
    return lock


def act_here(name: str, hear: Callable[[Message], None]) -> None:
    """Have the process of this event loop act on what is told there."""
    _here[asyncio.get_running_loop()] = name, hear


async def tell(group: str, message: Message) -> bool:
    """Act on a message in this process at once, and send it to the others.

    At once, because of two messages the first must not come after the second.
    """
    if here := _here.get(asyncio.get_running_loop()):
        name, hear = here
        hear(message)
        message = message._replace(sender=name)
    return await send(group, message)


async def send(group: str, message: Message) -> bool:
    """Hand a message to the channel layer. Returns whether it was taken.

    Those of one kind that wait for their turn go as one.
    """
    groups = _waiting.setdefault(asyncio.get_running_loop(), {})
    waiting = groups.setdefault(group, {})
    waiting[id(message)] = message
    try:
        async with turn("send", group):  # to wait for each other is no outage
            if id(message) in waiting:  # or it went with one before
                like = takewhile(message.goes_with, waiting.values())
                together = list(islice(like, TOGETHER)) or [message]
                for one in together:
                    del waiting[id(one)]
                await _send(group, message.joined(together))
            return not layer_outage.is_fresh(group)
    finally:
        waiting.pop(id(message), None)
        if not waiting and groups.get(group) is waiting:
            del groups[group]


async def _send(group: str, message: Message) -> None:
    if layer_outage.is_fresh(group):
        return
    with layer_outage.noticed(group):
        async with asyncio.timeout(outage.TIMEOUT):
            await get_layer().group_send(group, message.encode())
        layer_outage.end(group)
