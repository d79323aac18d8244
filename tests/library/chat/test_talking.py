"""What a socket in a room may send."""

import pytest
from pytest_django import Settings

from apps.chat.models import Room
from apps.chat.tests.conftest import Enter
from apps.users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_too_many_frames_of_any_kind_close_the_socket(
    lobby: Room, ada: User, enter: Enter, settings: Settings
) -> None:
    settings.CHANNELS_LIVE = {**settings.CHANNELS_LIVE, "FRAMES_PER_SECOND": 2}
    tab = await enter(ada, lobby)

    for _ in range(10):
        await tab.send({"typing": True})

    assert await tab.code() == 1008
