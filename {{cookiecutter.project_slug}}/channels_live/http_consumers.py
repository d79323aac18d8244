"""HTTP consumers of Channels: logged as views are, and over when their visitor leaves."""

import asyncio
from io import BytesIO
from typing import Any

from channels.generic.http import AsyncHttpConsumer
from django.core.handlers.asgi import ASGIRequest

from channels_live.base.asgi import Event, Receive, Scope, Send
from channels_live.observe.log_context import LogContext

HttpConsumer: Any = AsyncHttpConsumer
_call = HttpConsumer.__call__


async def call(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Run a consumer until it has answered, or its visitor has left.

    Channels does not listen while a consumer streams: behind uvicorn it would never
    end, and daphne would complain after ten seconds.
    """
    task: Any = asyncio.current_task()
    leaving: asyncio.Future[Event] | None = None
    is_left = is_answered = False

    def leave(future: asyncio.Future[Event]) -> None:
        nonlocal is_left
        if not future.cancelled() and not is_answered:
            is_left = task.cancel()

    async def hear() -> Event:
        nonlocal leaving
        event = await receive()
        if event["type"] == "http.request" and not event.get("more_body"):
            leaving = asyncio.ensure_future(receive())
            leaving.add_done_callback(leave)
        return event

    async def say(event: Event) -> None:
        nonlocal is_answered
        if event["type"] == "http.response.start":
            context.status = event["status"]
        else:
            is_answered = not event.get("more_body")
        await send(event)

    try:
        with LogContext.of_request(ASGIRequest(scope, BytesIO())) as context:
            await _call(self, scope, hear, say)
    except asyncio.CancelledError:
        if not is_left:
            raise
        task.uncancel()
    finally:
        if leaving:
            leaving.cancel()


def install() -> None:
    """Have Channels use it."""
    HttpConsumer.__call__ = call
