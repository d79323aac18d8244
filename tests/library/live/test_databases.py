"""Changes of several databases, of which one may be away."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.contrib.sites.models import Site
from django.core.management import call_command
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker, Settings

from channels_live import in_thread
from channels_live.live.changes import Ledger
from channels_live.models import Change
from channels_live.testing import open_live
from tests.library.live.reading import read
from tests.library.live.regions import Card, Groups, Text, User

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


class Router:
    """Keeps groups in the other database."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "other" if model is Group else None

    db_for_read = db_for_write


class Lagging:
    """Reads from the other database, as from a replica that has nothing yet."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "other" or app_label != "sites"


@pytest.fixture(autouse=True, scope="module")
def other(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Path]:
    """The folder of another database."""
    folder = tmp_path_factory.mktemp("other")
    default = connections.settings["default"]
    connections.settings["other"] = {
        **default,
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "db.sqlite3",
        "OPTIONS": {},
    }
    with django_db_blocker.unblock():
        call_command("migrate", database="other", verbosity=0)
        connections["other"].close()
        yield folder
        connections["other"].close()
    del connections["other"]
    del connections.settings["other"]


@pytest.fixture
def routed(settings: Settings) -> None:
    settings.DATABASE_ROUTERS = [Router()]


def test_a_change_on_a_database_that_is_not_followed_is_read(ledger: Ledger) -> None:
    with transaction.atomic("other"):
        Text.changed(1, using="other")
        assert read(ledger) == []
    assert read(ledger) == ["tests.Text 1"]

    with transaction.atomic("other"):
        Text.changed(1, using="other")
        transaction.set_rollback(True, "other")
    assert read(ledger) == []


@pytest.mark.usefixtures("routed")
async def test_each_database_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_live.live.changes.publish", lambda rows: None)
    async with open_live(None, Groups, "") as page:
        await sync_to_async(Group.objects.create)(name="editors")
        await page.shows("editors")


async def test_what_changes_is_read_from_no_replica(
    ada: Any, settings: Settings
) -> None:
    settings.DATABASE_ROUTERS = [Lagging()]
    async with open_live(ada, Card, ada.pk) as page:
        await page.shows("Ada")
        ada.first_name = "Ida"
        await sync_to_async(ada.save)()
        await page.shows("Ida")

    assert await in_thread(lambda: User.objects.all().db)() == "default"
    assert User.objects.all().db == "other"  # a view, as its router says
    # That the other database alone has.
    assert await in_thread(lambda: Site.objects.all().db)() == "other"


@pytest.mark.usefixtures("routed")
async def test_one_that_is_away_holds_up_no_other(
    ada: Any, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.live.changes.publish", lambda rows: None)
    async with (
        open_live(ada, Card, ada.pk) as card,
        open_live(None, Groups, "") as groups,
    ):
        gone = shutil.move(other, other.with_name("gone"))
        for name in ("Ida", "Eda"):
            await User.objects.filter(pk=ada.pk).aupdate(first_name=name)
            await sync_to_async(Card.changed)(ada.pk)
            await card.shows(name)

        shutil.move(gone, other)
        await sync_to_async(Group.objects.create)(name="editors")
        await groups.shows("editors")


@pytest.mark.usefixtures("routed")
async def test_a_page_comes_while_another_database_is_away(
    ada: Any, other: Path
) -> None:
    shutil.move(other, other.with_name("gone"))
    async with open_live(ada, Card, ada.pk) as card:
        assert "Ada" in (card.html or "")
    shutil.move(other.with_name("gone"), other)


@pytest.mark.usefixtures("routed")
async def test_one_without_a_table_holds_up_no_other(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.live.changes.publish", lambda rows: None)
    await sync_to_async(rename)("channels_live_change", "lost")
    try:
        async with open_live(ada, Card, ada.pk) as card:
            await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
            await sync_to_async(Card.changed)(ada.pk)
            await card.shows("Ida")
    finally:
        await sync_to_async(rename)("lost", "channels_live_change")


def rename(old: str, new: str) -> None:
    with connections["other"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.usefixtures("routed")
def test_what_was_heard_of_one_is_not_taken_for_a_row_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: dict[str, int] = {}
    monkeypatch.setattr("channels_live.live.changes.publish", heard.update)
    Text.changed(1)
    Groups.changed_all(using="other")

    assert heard == {"tests.Text 1": Change.objects.get().pk, "tests.Groups ": 0}
