from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from limits import RateLimitItemPerMinute

from apps.chat import flood
from apps.chat.models import Room
from apps.chat.tests.tab import Tab
from apps.ops.cache import fallback
from apps.users.models import User

# What one person may say, and make, in a minute; counted anew for each test.
LIMIT = 10

Enter = Callable[..., Awaitable[Tab]]


@pytest.fixture(autouse=True)
def flood_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count in the storage that is configured, and apart from everyone else."""
    limit = RateLimitItemPerMinute(LIMIT, namespace=f"test-{uuid4()}")
    limits = flood.get_limits()._replace(messages=limit, rooms=limit)
    monkeypatch.setattr(flood, "get_limits", lambda: limits)
    fallback.failed_at = None
    flood.typing_limiter.storage.reset()


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


@pytest.fixture
async def enter(transactional_db: None) -> AsyncIterator[Enter]:
    """Opens a tab of somebody's in a room, and waits until it is in."""
    tabs: list[Tab] = []

    async def enter(user: User, room: Room, **options: Any) -> Tab:
        tab = await Tab.open(user, room.slug, **options)
        tabs.append(tab)
        await tab.is_in()
        tab.frames.clear()
        return tab

    yield enter
    for tab in tabs:
        await tab.leave()


@pytest.fixture
async def bobs(attic: Room, bob: User, enter: Enter) -> AsyncIterator[Tab]:
    """A tab of Bob's in the attic; somebody else's is open all the time."""
    witness = await enter(attic.creator, attic)
    yield await enter(bob, attic)
    await witness.say("still here")
    await witness.hears("still here")
