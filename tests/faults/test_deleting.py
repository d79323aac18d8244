"""A room with very many messages is deleted while people are in it."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from baking import Variables
from chatting import Page
from fleet import Fleet, wait_until

MANY = 100_000
QUICK = 8  # seconds
FILL = """
from django.db import connection
from apps.chat.models import Room
from apps.users.models import User

ada = User.objects.get(username="ada")
ada.is_staff = ada.is_superuser = True
ada.save()
room = Room.objects.create(slug="huge", name="Huge", last_number={count})
Room.objects.create(slug="other", name="Other")
columns = "room_id, author_id, number, client_id, text, created"
values = "%s, %s, number, gen_random_uuid(), 'x', now()"
series = "generate_series(1, {count}) AS number"
query = f"INSERT INTO chat_message ({{columns}}) SELECT {{values}} FROM {{series}}"
with connection.cursor() as cursor:
    cursor.execute(query, [room.pk, ada.pk])
print(room.pk)
"""
COUNT = """
from apps.chat.models import Message

print(Message.objects.filter(room={key}).count())
"""


def test_deleting_a_huge_room_takes_seconds(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    redis_url: str,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    with ExitStack() as stack:
        fleet = launch({**postgres, "REDIS_URL": redis_url})
        server = fleet.start(server_name)
        ada, bob, cy = fleet.invite(server, "ada", "bob", "cy")
        key = fleet.ask(FILL.format(count=MANY))
        inside = stack.enter_context(Page(bob, "huge"))
        outside = stack.enter_context(Page(cy, "other"))
        path = f"/admin/chat/room/{key}/delete/"
        began = time.monotonic()
        assert "Are you sure" in ada.get(path).text
        asked = time.monotonic() - began
        began = time.monotonic()
        assert ada.post(path, post="yes").ok
        deleted = time.monotonic() - began - asked  # the form was loaded again
        wait_until(lambda: inside.code == 4404, "who is in it is told")
        outside.say("still here")
        outside.sees("still here")
        assert fleet.ask(COUNT.format(key=key)) == 0
        fleet.assert_quiet()
    note(
        f"{server_name}: to delete a room with {MANY:,} messages is confirmed within "
        f"{asked:.2f} s and done within {deleted:.2f} s"
    )
    assert asked < QUICK
    assert deleted < QUICK
