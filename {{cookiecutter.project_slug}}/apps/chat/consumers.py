"""The WebSocket of a room."""

from collections.abc import Collection
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qsl
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.chat.access import Shown, find_revoked, get_room
from apps.chat.flood import Flood, may_show_typing
from apps.chat.history import room_history
from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.rendering import (
    render_error,
    render_roster,
    render_stored,
    render_typing,
)
from apps.chat.storing import Busy
from apps.users.models import User
from channels_live import CloseCode, Consumer, InvalidFrame, apublish

# How often a user is told to slow down before the socket is closed.
WARNINGS = 10
# When a refused message may be sent again, in milliseconds.
RETRY_AFTER = 5000


class ChatConsumer(Consumer):
    """One browser tab in one room.

    This is the consumer of the Channels tutorial, with other names: enter() is its
    connect(), join() its group_add(), receive_json() its receive(). A closed socket
    leaves its groups by itself. There is no chat_message(): published HTML is written
    to the sockets of a group, and does not pass through their consumers.
    """

    room: Room
    warnings = 0

    @property
    def user(self) -> User:
        user: User = self.scope["user"]
        return user

    async def enter(self) -> None:
        slug = self.scope["url_route"]["kwargs"]["key"]
        shown = parse_shown(self.scope["query_string"])
        self.room = await get_room(slug, self.user, shown)
        await self.join(
            self.room.group,
            history=room_history,
            after=shown.after,
            roster=render_roster,
        )

    async def receive_json(self, content: dict[str, object]) -> None:
        match content:
            case {"message": str(text)}:
                await self.post(text, parse_client_id(content.get("client_id")))
            case {"typing": True}:
                if may_show_typing(self.user.pk):
                    await apublish(self.room.group, render_typing(self.user))
            case _:
                raise InvalidFrame(_('Expected {"message": "…"} with a text in it.'))

    async def post(self, text: str, client_id: UUID | None) -> None:
        """Post a message, and tell its author what became of it."""
        try:
            message = await apost_message(
                self.room, self.user, text, client_id=client_id
            )
        except Flood as error:
            await self.warn(str(error.message), client_id)
        except Busy as error:
            self.push(render_error(str(error.message), client_id, retry=RETRY_AFTER))
        except ValidationError as error:
            self.push(render_error(" ".join(error.messages), client_id))
        except Room.DoesNotExist:
            await self.close(code=CloseCode.NOT_FOUND)
        else:
            self.warnings = 0
            self.push(render_stored(message))

    async def warn(self, sentence: str, client_id: UUID | None) -> None:
        """Ask the author to slow down. Close the socket after the last warning."""
        self.warnings += 1
        if self.warnings > WARNINGS:
            await self.close(code=CloseCode.POLICY_VIOLATION)
        else:
            self.push(render_error(sentence, client_id, retry=RETRY_AFTER))

    async def reject(self, sentence: str) -> None:
        self.push(render_error(sentence))

    @classmethod
    def revoked(cls, consumers: Collection[Self]) -> dict[Self, int]:
        codes = find_revoked({(one.room.pk, one.user.pk) for one in consumers})
        return {
            one: codes[pair]
            for one in consumers
            if (pair := (one.room.pk, one.user.pk)) in codes
        }


def parse_shown(query: bytes) -> Shown:
    """Return what a page shows, from ?after=12&shown=11&id=…"""
    texts = dict(parse_qsl(query.decode("latin-1")))
    after, number = (
        int(text) if text.isdecimal() and len(text) < 19 else None
        for text in (texts.get("after", ""), texts.get("shown", ""))
    )
    client_id = None
    with suppress(ValueError):
        client_id = UUID(texts.get("id", ""))
    return Shown(after, number or 0, client_id)


def parse_client_id(value: object) -> UUID | None:
    """Return the browser's id of a message, if it sent one. Raise InvalidFrame."""
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        raise InvalidFrame(_("Expected a UUID as client_id.")) from None
