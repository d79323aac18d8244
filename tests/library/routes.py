"""WebSocket routes of the tests' own, where config/channels_urls.py would be."""

from typing import Any

from django.db import OperationalError
from django.urls import path

from apps.realtime.consumers import RealtimeConsumer, Refused
from apps.realtime.publish import user_group


async def tell_route(scope: Any, receive: Any, send: Any) -> None:
    """Send the arguments of the route."""
    await receive()
    await send({"type": "websocket.accept"})
    text = str(scope["url_route"]["kwargs"])
    await send({"type": "websocket.send", "text": text})


class ShoutConsumer(RealtimeConsumer):
    """Listens to a group, and sends back the `text` of each frame in capitals."""

    async def enter(self) -> None:
        await self.join("here")

    async def receive_json(self, content: dict[str, Any]) -> None:
        self.push(str(content["text"]).upper())

    async def reject(self, sentence: str) -> None:
        self.push(f"Rejected: {sentence}")


class ClosedConsumer(RealtimeConsumer):
    """Lets nobody in."""

    async def enter(self) -> None:
        raise Refused(4403)


class InboxConsumer(RealtimeConsumer):
    """Listens to what is published for the person who is logged in."""

    async def enter(self) -> None:
        await self.join(user_group(self.scope["user"].pk))

    async def receive_json(self, content: dict[str, Any]) -> None:
        self.push("You are in.")


class OutageConsumer(RealtimeConsumer):
    """Needs the database for what it does, while the database is away."""

    async def enter(self) -> None:
        if "in" not in self.scope["query_string"].decode():
            raise OperationalError("the database is away")

    async def receive_json(self, content: dict[str, Any]) -> None:
        if content:
            raise OperationalError("the database is away")
        self.push("Still here.")


class FailingConsumer(RealtimeConsumer):
    """Has an error in it: at once, or when it hears something."""

    async def enter(self) -> None:
        if "late" not in self.scope["query_string"].decode():
            raise RuntimeError("not thought of")

    async def receive_json(self, content: dict[str, Any]) -> None:
        raise RuntimeError("not thought of")


# path() is typed for views.
tell: Any = tell_route
shout: Any = ShoutConsumer.as_asgi()
closed: Any = ClosedConsumer.as_asgi()
inbox: Any = InboxConsumer.as_asgi()
outage: Any = OutageConsumer.as_asgi()
failing: Any = FailingConsumer.as_asgi()

websocket_urlpatterns = [
    path("ws/plain/", tell, name="plain"),
    path("ws/room/<int:number>/<str:name>/", tell, name="room"),
    path("ws/shout/", shout, name="shout"),
    path("ws/closed/", closed, name="closed"),
    path("ws/inbox/", inbox, name="inbox"),
    path("ws/outage/", outage, name="outage"),
    path("ws/failing/", failing, name="failing"),
]
