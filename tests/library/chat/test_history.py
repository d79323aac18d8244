"""Pages that are open while the database loses its last commits."""

import pytest

from apps.chat.models import Message, Room
from apps.chat.posting import apost_message
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import CloseCode

pytestmark = pytest.mark.django_db(transaction=True)


async def test_open_pages_are_told_when_the_database_lost_commits(
    lobby: Room, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.05)
    await apost_message(lobby, ada, "one")
    tab = await Tab.open(ada, "lobby", after=0)
    await tab.is_in()

    await Message.objects.all().adelete()
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=0)

    assert await tab.code() == CloseCode.SERVICE_RESTART
    await tab.leave()
