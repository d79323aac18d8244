"""A socket in a room is closed within a second of the end of its login."""

from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from apps.chat.models import Room
from apps.chat.tests.conftest import Enter
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live.testing import check_sockets

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1


async def test_logout_leaves_other_browsers_alone(
    bobs: Tab, attic: Room, bob: User, enter: Enter
) -> None:
    other_browser = await enter(bob, attic)

    await other_browser.client.post(reverse("account_logout"))

    assert await other_browser.code(SECOND) == 4401
    await bobs.say("here yet")
    await bobs.hears("here yet")


async def test_a_new_password_closes_every_browser(
    bobs: Tab, attic: Room, bob: User, enter: Enter
) -> None:
    other_browser = await enter(bob, attic)

    bob.set_unusable_password()
    await bob.asave()

    assert await bobs.code(SECOND) == 4401
    assert await other_browser.code(SECOND) == 4401


async def test_deactivation_closes(bobs: Tab, bob: User) -> None:
    bob.is_active = False
    await bob.asave()

    assert await bobs.code(SECOND) == 4401


async def test_deletion_closes(bobs: Tab, bob: User) -> None:
    await bob.adelete()

    assert await bobs.code(SECOND) == 4401


async def test_a_session_that_expires_closes(bobs: Tab) -> None:
    session = await bobs.client.asession()
    await session.aset_expiry(timezone.now() - timedelta(seconds=1))
    await session.asave()

    # As each process does by itself every 30 seconds.
    await check_sockets()

    assert await bobs.code(SECOND) == 4401


@pytest.mark.parametrize("change", ["first_name", "last_login"])
async def test_other_changes_of_a_user_close_nothing(
    bobs: Tab, bob: User, change: str
) -> None:
    bob.first_name = "Robert"
    bob.last_login = timezone.now()
    await bob.asave(update_fields=[change])

    await bobs.say("here yet")
    await bobs.hears("here yet")


async def test_a_user_deactivated_in_the_admin_is_let_go(bobs: Tab, bob: User) -> None:
    admin = AsyncClient()
    await admin.aforce_login(await User.objects.acreate_superuser("admin"))

    response = await admin.post(
        reverse("admin:users_user_change", args=[quote(bob.pk)]),
        {
            "username": "bob",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "12:00:00",
            # is_active is a checkbox: not sent where it is not checked
        },
    )

    assert response.status_code == 302
    assert await bobs.code(SECOND) == 4401
