from collections.abc import Collection
from typing import Any, Self
from urllib.parse import parse_qs
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.chat.flood import Flood, may_tell_typing
from apps.chat.history import room_history
from apps.chat.models import Room
from apps.chat.rendering import (
    render_error,
    render_roster,
    render_stored,
    render_typing,
)
from apps.chat.services import apost_message
from apps.users.models import User
from channels_live import (
    CloseCode,
    Consumer,
    InvalidFrame,
    Refused,
    apublish,
    in_thread,
)

# How often someone is told to slow down before being cut off.
WARNINGS = 10


class ChatConsumer(Consumer):
    """One browser tab in one room."""

    warnings = 0

    @property
    def user(self) -> User:
        user: User = self.scope["user"]
        return user

    async def enter(self) -> None:
        self.room = await self.authorize()
        await self.join(
            self.room.group,
            history=room_history,
            after=self.last_seen(),
            roster=render_roster,
        )

    @in_thread
    def authorize(self) -> Room:
        """Answer who may enter."""
        if not self.user.is_authenticated:
            raise Refused(CloseCode.NOT_LOGGED_IN)
        slug = self.scope["url_route"]["kwargs"]["slug"]
        room = Room.objects.with_slug(slug).first()
        if room is None:
            raise Refused(CloseCode.NOT_FOUND)
        if not room.admits(self.user):
            raise Refused(CloseCode.NOT_ALLOWED)
        return room

    @classmethod
    def revoked(cls, consumers: Collection[Self]) -> dict[Self, int]:
        rooms = Room.objects.in_bulk({consumer.room.pk for consumer in consumers})
        private = [room.pk for room in rooms.values() if room.is_private]
        members = set(
            Room.members.through.objects.filter(room__in=private).values_list(
                "room_id", "user_id"
            )
        )
        revoked: dict[Self, int] = {}
        for consumer in consumers:
            room = rooms.get(consumer.room.pk)
            if room is None:
                revoked[consumer] = CloseCode.NOT_FOUND
            elif room.is_private and (room.pk, consumer.user.pk) not in members:
                revoked[consumer] = CloseCode.NOT_ALLOWED
        return revoked

    async def receive_json(self, content: dict[str, Any]) -> None:
        match content:
            case {"message": str(text)}:
                await self.post(text, parse_client_id(content.get("client_id")))
            case {"typing": True}:
                if may_tell_typing(self.user.pk):
                    await apublish(self.room.group, render_typing(self.user))
            case _:
                raise InvalidFrame(_('Expected {"message": "…"} with a text in it.'))

    async def post(self, text: str, client_id: UUID | None) -> None:
        try:
            message = await apost_message(
                self.room, self.user, text, client_id=client_id
            )
            self.push(render_stored(message))
            self.warnings = 0
        except Flood as flood:
            self.warnings += 1
            if self.warnings > WARNINGS:
                await self.close(code=CloseCode.POLICY_VIOLATION)
            else:
                self.push(render_error(str(flood.message), client_id, retry=5000))
        except ValidationError as error:
            self.push(render_error(" ".join(error.messages), client_id))
        except Room.DoesNotExist:
            await self.close(code=CloseCode.NOT_FOUND)

    async def reject(self, sentence: str) -> None:
        self.push(render_error(sentence))

    def last_seen(self) -> int | None:
        """The number of the last message that the page shows: ?after=12"""
        after = parse_qs(self.scope["query_string"]).get(b"after", [b""])[0]
        return int(after) if after.isdigit() and len(after) < 20 else None


def parse_client_id(value: Any) -> UUID | None:
    """Return the browser's id for a message, if it sent one. Raises InvalidFrame."""
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        raise InvalidFrame(_("Expected a UUID as client_id.")) from None
