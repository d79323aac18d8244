"""What the documentation of projects, Channels and Django shows passes strict mypy."""

import pytest
from baking import Kitchen, Project, Variables, assert_all_passed
from recipes import type_all
from serving import Visitor
from sites import serve_project

MODELS = """
import uuid

from django.conf import settings
from django.db import models


class Room(models.Model):
    code = models.UUIDField(default=uuid.uuid4)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL)

    def __str__(self) -> str:
        return f"room {self.pk}"
"""
CONSUMERS = """
import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
)
from channels.layers import get_channel_layer

from apps.users.models import User
from apps.web.models import Room


class RoomConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close()
            return
        self.room_name = self.scope["url_route"]["kwargs"]["room_name"]
        self.room_group_name = f"room_{self.room_name}"
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)
        await self.accept()
        self.username = await self.get_name()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        message = json.loads(text_data or "{}")["message"]
        await self.channel_layer.group_send(
            self.room_group_name, {"type": "room.message", "message": message}
        )

    async def room_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"message": event["message"]}))

    @database_sync_to_async
    def get_name(self) -> str:
        return User.objects.all()[0].username


class CountConsumer(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        count = await database_sync_to_async(Room.objects.count)()
        await self.send_json({"count": count})


async def announce(text: str) -> None:
    await get_channel_layer().group_send("news", {"type": "news", "text": text})
"""
VIEWS = """
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import ListView

from apps.web.models import Room


@login_required
def rooms(request: HttpRequest) -> HttpResponse:
    rooms = Room.objects.filter(members=request.user)
    heading = f"Rooms of {request.user.username}, {request.user.email}"
    return render(request, "web/rooms.html", {"rooms": rooms, "heading": heading})


@login_required
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    Room.objects.get(pk=pk).members.add(request.user)
    request.user.first_name = "Ada"
    request.user.save()
    return redirect("home")


def greet(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect("account_login")
    return HttpResponse(request.user.get_full_name())


class Rooms(LoginRequiredMixin, ListView[Room]):
    def get_queryset(self) -> QuerySet[Room]:
        return Room.objects.filter(members=self.request.user)
"""
TESTS = """
from django.test import TestCase

from apps.web.models import Room


class RoomTests(TestCase):
    def test_a_room(self) -> None:
        room = Room.objects.create()
        self.assertEqual(str(room), f"room {room.pk}")
        with self.assertRaises(Room.DoesNotExist):
            Room.objects.get(pk=0)
"""
STREAM = """
from apps.news.views import stream  # noqa: E402

urlpatterns += [path("stream/", stream)]
"""
DEACTIVATE = """
from apps.users.models import User
User.objects.filter(username="bob").update(is_active=False)
"""
MISTAKE = """
from django.http import HttpRequest


def shout(request: HttpRequest) -> str:
    return request.user.user_name.upper()
"""


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    """A project without the demo, and code as in all documentation."""
    project = kitchen.bake({"include_chat_demo": False, "chat_client": "javascript"})
    files = {
        "models": MODELS,
        "idioms": CONSUMERS,
        "rooms": VIEWS,
        "tests/test_rooms": TESTS,
    }
    for name, text in files.items():
        path = project.path / "apps" / "web" / f"{name}.py"
        path.write_text(text.lstrip())
    type_all(project)
    with (project.path / "config" / "urls.py").open("a") as file:
        file.write(STREAM)
    return project


def test_recipes_are_clean(project: Project) -> None:
    # An editor merges what recipes say to import.
    merge = ("--fix", "--select", "F811,I")
    project.run("ruff", "check", "--no-cache", "--quiet", *merge, "config")
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")


def test_tests_of_recipes_pass(project: Project) -> None:
    done = project.run(
        "pytest", "-q", "apps/notifications", "apps/web/tests/test_rooms.py"
    )
    assert_all_passed(done.stdout)


def test_a_stream_ends_with_its_login(project: Project) -> None:
    with serve_project(project) as site:
        ada = Visitor(site.server)
        ada.session.cookies.set("sessionid", site.sessions["ada"])
        with ada.session.get(f"{site.server.url}/stream/", stream=True) as response:
            lines = response.iter_lines()
            assert next(lines) == b"data: 0"
            ada.post("/accounts/logout/")
            assert len(list(lines)) < 10
        assert ada.session.get(f"{site.server.url}/stream/").status_code == 204
        bob = Visitor(site.server)
        bob.session.cookies.set("sessionid", site.sessions["bob"])
        site.shell.run(DEACTIVATE)
        assert bob.session.get(f"{site.server.url}/stream/").status_code == 204


def test_idioms_need_no_workarounds(project: Project, mypy_cache: Variables) -> None:
    project.run("mypy", ".", env=mypy_cache)


def test_what_no_user_has_is_an_error_still(
    project: Project, mypy_cache: Variables
) -> None:
    path = project.path / "apps" / "web" / "mistake.py"
    path.write_text(MISTAKE.lstrip())
    done = project.run("mypy", "apps/web/mistake.py", env=mypy_cache, ok=False)
    path.unlink()
    assert 'has no attribute "user_name"' in done.stdout
