"""Who is shown as present in a room."""

import pytest
from django.test import AsyncClient
from django.urls import reverse
from pytest_django.asserts import assertContains

from apps.chat.models import Room
from apps.chat.rendering import render_roster
from apps.chat.tests.conftest import Enter
from apps.users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_whoever_comes_and_goes_is_shown_to_all(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas = await enter(ada, lobby)
    await adas.hears(render_roster([ada], 1))

    bobs = await enter(bob, lobby)
    await adas.hears(render_roster([ada, bob], 2))
    await bobs.hears(render_roster([ada, bob], 2))

    adas.frames.clear()
    await bobs.leave()
    await adas.hears(render_roster([ada], 1))


async def test_two_tabs_are_one_person(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, first, second = (
        await enter(ada, lobby),
        await enter(bob, lobby),
        await enter(bob, lobby),
    )
    await second.hears(render_roster([ada, bob], 2))
    await adas.hears(render_roster([ada, bob], 2))
    second.frames.clear()

    await first.leave()
    eve = await User.objects.acreate_user("eve")
    await enter(eve, lobby)
    await adas.hears(render_roster([ada, bob, eve], 3))
    assert render_roster([ada], 1) not in second.heard

    await second.leave()
    await adas.hears(render_roster([ada, eve], 2))


async def test_pages_show_who_is_in(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, lobby)
    await tab.hears(render_roster([bob], 1))
    client = AsyncClient()
    await client.aforce_login(ada)

    page = await client.get(lobby.get_absolute_url())
    index = await client.get(reverse("chat:index"))

    assertContains(page, "1 here now")
    assertContains(page, f'data-user="{bob.pk}">bob')
    assertContains(index, "1 here</span>")
