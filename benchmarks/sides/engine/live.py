"""Run in the generated project: a consumer that stores nothing, and live regions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.sessions.models import Session
from django.urls import path
from django.utils.html import format_html

from apps.chat.models import Room
from channels_live import (
    Consumer,
    Live,
    LiveConsumer,
    apublish,
    in_thread,
    websocket_application,
)
from channels_live.live.place import Place


class Flow(Consumer):
    async def enter(self) -> None:
        self.group = f"flow.{self.scope['url_route']['kwargs']['room']}"
        await self.join(self.group)
        self.push("<p>Welcome.</p>")

    async def receive_json(self, content: dict[str, Any]) -> None:
        await apublish(self.group, format_html("<p>{}</p>", content["message"]))


class Change(Consumer):
    """Changes the state of a region as often as it is asked to."""

    async def enter(self) -> None:
        self.push("<p>Welcome.</p>")

    async def receive_json(self, content: dict[str, Any]) -> None:
        await in_thread(change)()


def change() -> None:
    room = Room.objects.get(slug="room-0")
    room.last_number += 1
    room.save(update_fields=["last_number"])  # which save() alone leaves to posts


class One(Live):
    """The same state on all pages."""

    template_name = "region.html"
    follows: ClassVar = {Room: "pk"}

    def allows(self, user: Any, key: int) -> bool:
        return bool(user.is_authenticated)

    def get_context(self, key: int) -> dict[str, Any]:
        return show(Room.objects.get(pk=key))


class Each(One):
    """A state of its own on each page: a row for each of the people."""

    follows: ClassVar = {}

    def get_context(self, key: int) -> dict[str, Any]:
        return show(Room.objects.get(slug=f"room-{key % 100}"))


class Bulk(Each):
    """The same, asked for with one query."""

    def get_contexts(self, keys: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        slugs = {key: f"room-{key % 100}" for key in keys}
        found = Room.objects.filter(slug__in=slugs.values())
        rooms = {room.slug: show(room) for room in found}
        return {key: rooms[slug] for key, slug in slugs.items()}


def show(room: Room) -> dict[str, Any]:
    return {"number": f"{room.last_number:07d}"}


def names(kind: str, sessions: Sequence[str]) -> str:
    """Return the names that pages of these sessions have for a region, as JSON."""
    region = {"one": One, "each": Each, "bulk": Bulk}[kind]
    room = Room.objects.get(slug="room-0").pk
    made = []
    for number, key in enumerate(sessions):
        pk = Session.objects.get(pk=key).get_decoded()["_auth_user_id"]
        place = Place(region, room if kind == "one" else number, "en-us", "/")
        made.append(place.sign(f"user {pk}"))
    return json.dumps(made)


application = websocket_application(
    [
        path("ws/flow/<str:room>/", Flow.as_asgi()),
        path("ws/live/", LiveConsumer.as_asgi()),
        path("ws/change/", Change.as_asgi()),
    ]
)
