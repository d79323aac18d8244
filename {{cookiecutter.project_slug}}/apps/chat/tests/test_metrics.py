import asyncio
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from apps.chat.models import Room
from apps.chat.posting import apost_message, post_message
from apps.users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_messages_count_with_the_transaction_that_stored_them(
    lobby: Room, attic: Room, ada: User, grown: Callable[..., float]
) -> None:
    rooms = (lobby, attic, lobby)
    await asyncio.gather(*(apost_message(room, ada, "hello") for room in rooms))

    assert grown("chat_batch_messages_sum") == 3
    assert grown("chat_batch_messages_count") == 1
    assert grown("chat_batch_messages_bucket", le="2.0") == 0
    assert grown("chat_batch_messages_bucket", le="5.0") == 1
    assert grown("chat_post_seconds_count") == 3


async def test_what_was_not_stored_does_not(
    lobby: Room, ada: User, grown: Callable[..., float]
) -> None:
    with pytest.raises(ValidationError):
        await apost_message(lobby, ada, "")

    assert grown("chat_batch_messages_sum") == 0


def test_a_message_of_a_command_counts_too(
    lobby: Room, ada: User, grown: Callable[..., float]
) -> None:
    post_message(lobby, ada, "hello")

    assert grown("chat_batch_messages_sum") == 1
