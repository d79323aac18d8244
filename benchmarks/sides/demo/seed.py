"""Run in the demo's shell: people, sessions and rooms. Prints the session keys."""

import json
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from apps.chat.models import Message, Room
from apps.users.models import User

users = User.objects.bulk_create(
    User(username=f"member{number}") for number in range(1000)
)
rooms = Room.objects.bulk_create(
    Room(name=f"Room {number}", slug=f"room-{number}", creator=users[0], last_number=1)
    for number in range(1000)
)
Message.objects.bulk_create(
    Message(room=room, author=users[0], number=1, client_id=uuid4(), text="zqx0000000")
    for room in rooms
)
keys = []
for user in users:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    keys.append(session.session_key)
print(json.dumps(keys))
