from collections.abc import AsyncIterator, Iterator
from typing import Protocol
from uuid import uuid4

import pytest
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import Settings

from apps.chat import flood
from apps.chat.models import Room
from apps.chat.tests.tab import Tab
from apps.ops.cache import outage
from apps.users.models import User

# Messages that one user may send, and rooms that they may create, in a test.
LIMIT = 10
# Tables that tests with transaction=True leave as the migrations made them.
KEPT = {"auth_permission", "django_content_type", "django_site"}


@pytest.fixture(autouse=True, scope="package")
def quick_flush() -> Iterator[None]:
    """Empty the tables that tests fill, and no others.

    Django empties all, and creates content types and permissions anew: that takes
    longer than most tests.
    """

    def flush(test: TransactionTestCase) -> None:
        tables = set(connection.introspection.django_table_names(only_existing=True))
        statements = connection.ops.sql_flush(no_style(), sorted(tables - KEPT))
        connection.ops.execute_sql_flush(statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush)
        yield


@pytest.fixture(autouse=True)
def flood_limits(settings: Settings) -> None:
    """Count from zero in each test, and apart from others who use the same Redis."""
    settings.CHAT_FLOOD_LIMIT = settings.CHAT_ROOM_LIMIT = f"{LIMIT} per minute"
    settings.REDIS_PREFIX = f"test-{uuid4()}"
    flood.redis_storage.cache_clear()
    flood.memory.storage.reset()
    outage.failed.clear()


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def lobby(ada: User) -> Room:
    return Room.objects.create(name="Lobby", slug="lobby", creator=ada)


@pytest.fixture
def attic(ada: User, bob: User) -> Room:
    """A private room of Ada's, with Bob in it."""
    room = Room.objects.create(name="Attic", slug="attic", creator=ada, is_private=True)
    room.members.add(ada, bob)
    return room


class Enter(Protocol):
    async def __call__(
        self, user: User, room: Room, *, after: int | None = None
    ) -> Tab: ...


@pytest.fixture
async def enter(transactional_db: None) -> AsyncIterator[Enter]:
    """Open a tab in a room as a user, and wait until its socket is in the group."""
    tabs: list[Tab] = []

    async def enter(user: User, room: Room, *, after: int | None = None) -> Tab:
        tab = await Tab.open(user, room.slug, after=after)
        tabs.append(tab)
        await tab.is_in()
        tab.frames.clear()
        return tab

    yield enter
    for tab in tabs:
        await tab.leave()


@pytest.fixture
async def bobs(attic: Room, ada: User, bob: User, enter: Enter) -> AsyncIterator[Tab]:
    """A tab of Bob's in the attic. One of Ada's stays open to the end."""
    adas = await enter(ada, attic)
    yield await enter(bob, attic)
    await adas.say("still here")
    await adas.hears("still here")
