"""What sockets that come back catch up on."""

from uuid import uuid4

import pytest

from apps.chat.history import room_history
from apps.chat.models import Message, Room
from apps.chat.posting import apost_message
from apps.chat.rendering import render_message
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import CloseCode

pytestmark = pytest.mark.django_db(transaction=True)


async def test_the_newest_number_of_each_room_is_known(
    lobby: Room, attic: Room, ada: User
) -> None:
    for text in ("one", "two"):
        await apost_message(lobby, ada, text)
    gone = await Room.objects.acreate(name="Gone", slug="gone")
    group_of_gone = gone.group
    await gone.adelete()

    numbers = await room_history.last_numbers([lobby.group, attic.group, group_of_gone])

    assert numbers == {lobby.group: 2, attic.group: 0}


async def test_what_came_after_a_number_is_loaded_in_order_as_it_was_sent(
    lobby: Room, attic: Room, ada: User, bob: User
) -> None:
    first = await apost_message(lobby, ada, "first")
    await apost_message(attic, ada, "elsewhere")
    later = [
        await apost_message(lobby, author, f"from {author}") for author in (bob, ada)
    ]

    fragments = await room_history.load(lobby.group, first.number, 10)

    assert [one.number for one in fragments] == [2, 3]
    assert [one.html for one in fragments] == [render_message(one) for one in later]


async def test_of_more_than_the_limit_the_oldest_are_loaded(
    lobby: Room, ada: User
) -> None:
    for number in range(1, 5):
        await apost_message(lobby, ada, str(number))

    fragments = await room_history.load(lobby.group, 1, 2)

    assert [one.number for one in fragments] == [2, 3]


async def test_a_message_whose_author_is_gone_is_loaded(lobby: Room) -> None:
    await Message.objects.acreate(
        room=lobby, author=None, number=1, client_id=uuid4(), text="hello"
    )

    (fragment,) = await room_history.load(lobby.group, 0, 10)

    assert "Deleted user" in fragment.html


def test_what_was_skipped_is_a_link_to_it() -> None:
    html = room_history.skipped("chat.room.1", 2, 12)

    assert "10 messages" in html
    assert 'href="?before=13"' in html


@pytest.mark.parametrize("lost", [1, 3])
async def test_a_page_that_shows_what_the_database_lost_loads_anew(
    lobby: Room, ada: User, lost: int
) -> None:
    for text in ("one", "two", "three"):
        shown = await apost_message(lobby, ada, text)
    # A replica took over, and somebody has said something else since.
    await lobby.messages.filter(number__gt=3 - lost).adelete()
    await lobby.changes.all().adelete()
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=3 - lost)
    last = await apost_message(lobby, ada, "other")
    page = f"3&shown=3&id={shown.client_id}"
    present = f"{last.number}&shown={last.number}&id={last.client_id}"

    tab = await Tab.open(ada, "lobby", after=page)
    assert await tab.code() == CloseCode.OUTDATED
    await tab.leave()
    for after in (present, 0, f"{last.number}&id=nonsense"):
        tab = await Tab.open(ada, "lobby", after=after)
        await tab.is_in()
        await tab.leave()
