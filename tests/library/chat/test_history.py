"""Pages that are open while the database loses its last commits."""

import pytest
from django.db import transaction

from apps.chat.models import Message, Room
from apps.chat.posting import apost_message, post_message
from apps.chat.rendering import render_entry
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import CloseCode, in_thread
from channels_live.models import Change

pytestmark = pytest.mark.django_db(transaction=True)


async def test_open_pages_are_told_when_the_database_lost_commits(
    lobby: Room, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.05)
    await apost_message(lobby, ada, "one")
    tab = await Tab.open(ada, "lobby", after=0)
    await tab.is_in()

    await Message.objects.all().adelete()
    await lobby.changes.all().adelete()
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=0)

    assert await tab.code() == CloseCode.SERVICE_RESTART
    await tab.leave()


@pytest.mark.parametrize("text", ["edited", None])
async def test_open_pages_are_sent_a_change_that_nobody_heard_of(
    lobby: Room, ada: User, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.05)
    message = await apost_message(lobby, ada, "one")
    await apost_message(lobby, ada, "two")
    tab = await Tab.open(ada, "lobby", after=2)
    await tab.is_in()
    stored = Message.objects.filter(pk=message.pk).select_related("author")

    # What another process does whose channel layer is away.
    await in_thread(change_silently)(lobby, message, text)

    await tab.hears(render_entry(3, 1, await stored.afirst()))
    await tab.leave()


@transaction.atomic
def change_silently(room: Room, message: Message, text: str | None) -> None:
    stored = Message.objects.filter(pk=message.pk)
    if text:
        stored.update(text=text)
    else:
        stored._raw_delete("default")
    room.changes.create(number=3, message_number=message.number)
    Room.objects.filter(pk=room.pk).update(last_number=3)


def test_a_change_is_stored_with_the_notice_that_memories_of_it_are_wrong(
    lobby: Room, ada: User
) -> None:
    message = post_message(lobby, ada, "one")

    with transaction.atomic():  # after which the process may die
        message.delete()
        notice = Change.objects.get(subject__contains="history_changed")

    assert lobby.group in notice.subject
