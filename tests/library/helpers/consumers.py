"""Consumers of the library, each for something that a socket may meet with."""

import asyncio
from typing import Any, ClassVar

from channels.auth import login, logout
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils.translation import get_language

from channels_live import (
    CloseCode,
    Consumer,
    InvalidFrame,
    JsonConsumer,
    Refused,
    apublish_event,
    in_thread,
    user_group,
)
from tests.library.helpers.listening import ListHistory


async def tell_route(scope: Any, receive: Any, send: Any) -> None:
    """Send the arguments of the route."""
    await receive()
    await send({"type": "websocket.accept"})
    text = str(scope["url_route"]["kwargs"])
    await send({"type": "websocket.send", "text": text})


class ShoutConsumer(Consumer):
    """Listens to a group, and sends back the `text` of each frame in capitals."""

    async def enter(self) -> None:
        await self.join("here")

    async def receive_json(self, content: dict[str, Any]) -> None:
        if "close" in content:
            await self.close(code=content["close"])
        self.push(str(content["text"]).upper())

    async def reject(self, sentence: str) -> None:
        self.push(f"Rejected: {sentence}")


class CountingConsumer(Consumer):
    """Counts beside its frames, and notes what becomes of that; frames are answered."""

    ends: ClassVar[list[str]] = []

    async def enter(self) -> None:
        self.spawn(self.count())

    async def count(self) -> None:
        try:
            for number in range(1000):
                self.push(f"{number} in {get_language()}")
                await asyncio.sleep(0.05)
        finally:
            self.ends.append("cancelled")

    async def receive_json(self, content: dict[str, Any]) -> None:
        if "fail" in content:
            self.spawn(self.fail())
        self.push("answer")

    async def fail(self) -> None:
        raise RuntimeError("not thought of")


class ClosedConsumer(Consumer):
    """Lets nobody in."""

    async def enter(self) -> None:
        raise Refused(CloseCode.NOT_ALLOWED)


class InboxConsumer(Consumer):
    """Listens to what is published for the person who is logged in."""

    async def enter(self) -> None:
        await self.join(user_group(self.scope["user"].pk))

    async def receive_json(self, content: dict[str, Any]) -> None:
        self.push("You are in.")


class NumberedConsumer(Consumer):
    """Has one numbered fragment; the address or a frame says what the page shows."""

    history = ListHistory("a")

    async def enter(self) -> None:
        if shown := self.scope["query_string"]:
            await self.receive_json({"after": int(shown)})

    async def receive_json(self, content: dict[str, Any]) -> None:
        await self.join("numbered", history=self.history, after=content["after"])


class RosterConsumer(Consumer):
    """Shows who is here; a frame logs somebody in, by name, or whoever is here out."""

    async def enter(self) -> None:
        await self.join("here", roster=roster)

    async def receive_json(self, content: dict[str, Any]) -> None:
        self.push(await obey(self.scope, content))


class OrdersConsumer(JsonConsumer):
    """Has all hear what one says; a frame may ask to hear nothing any more."""

    async def enter(self) -> None:
        await self.join("orders")
        self.push({"you": self.scope["user"].get_username()})

    async def receive_json(self, content: dict[str, Any]) -> None:
        if "say" in content:
            await apublish_event("orders", {"said": content["say"]})
        elif "quit" in content:
            await self.quit("orders")
            self.push({"quit": True})
        elif "push" in content:
            self.push(content["push"])
        else:
            raise InvalidFrame("Expected say or quit.")


async def obey(scope: Any, content: dict[str, Any]) -> str:
    """Log somebody in or out over a socket. Returns whom that makes of its user."""
    if name := content.get("login"):
        user = await get_user_model().objects.aget(username=name)
        await login(scope, user, settings.AUTHENTICATION_BACKENDS[0])
        await in_thread(scope["session"].save)()
    elif "logout" in content:
        await logout(scope)
    return f"You are {scope['user'].get_username()}."


def roster(people: list[Any], count: int) -> str:
    return f"{count}: {' '.join(str(person) for person in people)}"


class OutageConsumer(Consumer):
    """Needs the database for what it does, while the database is away."""

    async def enter(self) -> None:
        if "in" not in self.scope["query_string"].decode():
            raise OperationalError("the database is away")

    async def receive_json(self, content: dict[str, Any]) -> None:
        if content:
            raise OperationalError("the database is away")
        self.push("Still here.")


class FailingConsumer(Consumer):
    """Has an error in it: at once, or when it hears something."""

    async def enter(self) -> None:
        if "late" not in self.scope["query_string"].decode():
            raise RuntimeError("not thought of")

    async def receive_json(self, content: dict[str, Any]) -> None:
        raise RuntimeError("not thought of")
