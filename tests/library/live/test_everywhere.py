"""Pages show what changes, whatever code changes it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.management import BaseCommand, call_command
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.tasks import task
from django.test import AsyncClient, Client
from django.urls import path
from django_ox.testing import run_tasks
from pytest_django import Settings

from channels_live import Consumer
from channels_live.testing import open_live
from tests.library.helpers.browsing import connect, only
from tests.library.live.regions import Groups, User

pytestmark = pytest.mark.django_db(transaction=True)


def change() -> None:
    """Change what a region shows in a way that sends no signal, and tell it."""
    Group.objects.bulk_create([Group(name="editors")])
    Groups.changed_all()


async def achange() -> None:
    await Group.objects.abulk_create([Group(name="editors")])
    Groups.changed_all()


def view(request: HttpRequest) -> HttpResponse:
    change()
    return HttpResponse()


async def async_view(request: HttpRequest) -> HttpResponse:
    await achange()
    return HttpResponse()


urlpatterns = [path("sync/", view), path("async/", async_view)]


class Command(BaseCommand):
    def handle(self, **options: Any) -> None:
        change()


class AsyncCommand(BaseCommand):
    def handle(self, **options: Any) -> None:
        asyncio.run(achange())


class ChangingConsumer(Consumer):
    async def enter(self) -> None:
        await achange()


@task
def job() -> None:
    change()


@task
async def async_job() -> None:
    await achange()


def in_admin() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    answer = client.post("/admin/auth/group/add/", {"name": "editors"})
    assert answer.status_code == 302


def in_thread() -> None:
    def work() -> None:
        change()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def in_job() -> None:
    job.enqueue()
    run_tasks()


def in_async_job() -> None:
    async_job.enqueue()
    run_tasks()


async def in_consumer() -> None:
    socket = await connect("/", application=only(ChangingConsumer.as_asgi()))
    await socket.disconnect()


WAYS: dict[str, Callable[[], Awaitable[object]]] = {
    "admin": sync_to_async(in_admin),
    "view": lambda: AsyncClient().get("/sync/"),
    "view by WSGI": lambda: asyncio.to_thread(Client().get, "/sync/"),
    "async view": lambda: AsyncClient().get("/async/"),
    "async view by WSGI": lambda: asyncio.to_thread(Client().get, "/async/"),
    "consumer": in_consumer,
    "command": lambda: asyncio.to_thread(call_command, Command()),
    "async command": lambda: asyncio.to_thread(call_command, AsyncCommand()),
    "thread": lambda: asyncio.to_thread(in_thread),
    "task": lambda: asyncio.to_thread(in_job),
    "async task": lambda: asyncio.to_thread(in_async_job),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_shows_what_is_changed_by(way: str, settings: Settings) -> None:
    async with open_live(None, Groups, "") as page:
        if "view" in way:
            settings.ROOT_URLCONF = __name__
        await WAYS[way]()
        await page.shows("editors")
