"""What is written down and published when something changes."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import TestCase
from pytest_django import DjangoAssertNumQueries

from channels_live import disconnect
from channels_live.base.threads import finish_threads
from channels_live.live import changes
from channels_live.models import Change
from channels_live.testing import live_changes
from tests.library.live.regions import Card, Team, Text

User = get_user_model()

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The subjects of each commit."""
    found: list[list[str]] = []
    monkeypatch.setattr(changes, "publish", lambda rows: found.append(list(rows)))
    return found


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def written() -> list[str]:
    return list(Change.objects.order_by("pk").values_list("subject", flat=True))


@pytest.mark.django_db(transaction=True)
def test_is_written_down_with_the_change_and_published_after_it(
    published: list[list[str]],
) -> None:
    with transaction.atomic():
        Text.changed(1, "a")
        assert written() == ["tests.Text 1", 'tests.Text "a"']
        assert published == []

    assert published == [["tests.Text 1", 'tests.Text "a"']]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_did_not_change(published: list[list[str]]) -> None:
    with rolled_back():
        Text.changed(1)

    assert written() == []
    assert published == []


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_is_rolled_back_takes_only_its_own_along(
    published: list[list[str]],
) -> None:
    with transaction.atomic():
        with rolled_back():
            Text.changed(1)
        Text.changed(1)
        Text.changed(2)
        with rolled_back():
            Text.changed(2)

    assert sorted(written()) == ["tests.Text 1", "tests.Text 2"]
    assert sorted(chain(*published)) == ["tests.Text 1", "tests.Text 2"]


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_is_rolled_back_by_hand_takes_its_own_along(
    published: list[list[str]],
) -> None:
    with transaction.atomic():
        Text.changed(1)
        point = transaction.savepoint_create()
        Text.changed(2)
        transaction.savepoint_rollback(point)
        Text.changed(2)

    assert written() == ["tests.Text 1", "tests.Text 2"]
    assert set(chain(*published)) == {"tests.Text 1", "tests.Text 2"}


@pytest.mark.django_db(transaction=True)
def test_many_savepoints_are_told_of_together(published: list[list[str]]) -> None:
    with transaction.atomic():
        for key in range(100):
            with transaction.atomic():
                Text.changed(key)
        assert len(transaction.get_connection().run_on_commit) == 1

    assert [len(subjects) for subjects in published] == [100]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [5, "5", uuid4(), (1, "a")])
def test_a_key_and_the_text_of_it_are_one(published: list[list[str]], key: Any) -> None:
    text = tuple(map(str, key)) if isinstance(key, tuple) else str(key)
    with transaction.atomic():
        Text.changed(key)
        Text.changed(text)

    assert len(written()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("key", "equal"),
    [
        (Decimal("1.5"), Decimal("1.50")),
        (Decimal(0), Decimal("-0.0")),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=PARIS)),
    ],
)
def test_equal_keys_are_one(published: list[list[str]], key: Any, equal: Any) -> None:
    with transaction.atomic():
        Text.changed(key)
        Text.changed(equal)

    assert len(written()) == 1


@pytest.mark.django_db(transaction=True)
def test_many_changes_of_a_transaction_are_one_row(
    published: list[list[str]],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with transaction.atomic():
        Text.changed(1)
        with transaction.atomic(), django_assert_num_queries(0):
            for _ in range(100):
                Text.changed(1)

    assert written() == ["tests.Text 1"]
    assert published == [["tests.Text 1"]]


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_has_a_row_of_its_own(published: list[list[str]]) -> None:
    for _ in range(2):
        with transaction.atomic():
            Text.changed(1)

    assert written() == ["tests.Text 1"] * 2
    assert len(published) == 2


@pytest.mark.django_db(transaction=True)
def test_all_keys_change_together(published: list[list[str]]) -> None:
    Text.changed_all()

    assert published == [["tests.Text "]]


@pytest.mark.django_db(transaction=True)
async def test_changes_from_async_code(published: list[list[str]]) -> None:
    Text.changed(1)

    for _ in range(100):
        await asyncio.sleep(0.05)
        if published:
            break
    assert published == [["tests.Text 1"]]
    assert await Change.objects.acount() == 1


async def change(number: int) -> None:
    Text.changed(number)


async def end_group(number: int) -> None:
    disconnect(group=f"group-{number}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [change, end_group])
@pytest.mark.parametrize("to_sync", [None, async_to_sync], ids=["run", "async_to_sync"])
def test_what_async_code_does_last_outlives_its_loop(
    work: Any, to_sync: Callable[[Any], Any] | None
) -> None:
    for number in range(50):
        if to_sync:
            to_sync(work)(number)
        else:
            asyncio.run(work(number))
    finish_threads()

    assert len(set(written())) == 50


def of_tests(changes: list[tuple[str, Any]]) -> set[tuple[str, Any]]:
    """Those that are not of regions of the project around."""
    return {change for change in changes if change[0].startswith("tests.")}


@pytest.mark.django_db
def test_saving_and_deleting_change_what_is_followed() -> None:
    with live_changes() as saved:
        ada = User.objects.create(username="ada", first_name="Ada")
    with live_changes() as deleted:
        pk = ada.pk
        ada.delete()

    expected = {("tests.Card", pk), ("tests.Team", "Ada"), ("tests.Crowd", None)}
    assert of_tests(saved) == expected
    assert of_tests(deleted) == expected


def teams(changes: list[tuple[str, Any]]) -> set[Any]:
    return {key for name, key in changes if name == "tests.Team"}


@pytest.mark.django_db
def test_a_row_that_moves_to_and_fro_changes_both_keys_each_time() -> None:
    ada = User.objects.create(username="ada", first_name="Ada")
    for name in ("Ida", "Ada", "Ida"):
        ada.first_name = name
        with live_changes() as found:
            ada.save()
        assert teams(found) >= {"Ada", "Ida"}


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["save", "delete"])
def test_a_stale_instance_changes_the_key_that_is_stored(end: str) -> None:
    stale = User.objects.create(username="ada", first_name="Ada")
    User.objects.update(first_name="Ida")
    with live_changes() as found:
        getattr(stale, end)()
    assert teams(found) == {"Ada", "Ida"}


@pytest.mark.django_db
def test_a_row_that_is_stored_over_another_changes_both_keys() -> None:
    old = User.objects.create(username="ada", first_name="Ada")
    with live_changes() as found:
        User(pk=old.pk, username="ada", first_name="Ida").save(force_update=True)
    assert teams(found) == {"Ada", "Ida"}


@pytest.mark.django_db
def test_a_row_may_be_saved_with_what_its_field_converts() -> None:
    ada = User.objects.create(username="ada", first_name="Ada")
    ada.first_name = cast(Any, 5.5)
    with live_changes() as found:
        ada.save()
    assert teams(found) == {"Ada", "5.5"}


@pytest.mark.django_db
def test_a_row_is_deleted_whose_key_was_not_loaded() -> None:
    User.objects.create(username="ada", first_name="Ada")
    with live_changes() as found:
        User.objects.only("username").get().delete()
    assert teams(found) == {"Ada"}


@pytest.mark.django_db
def test_update_says_nothing_until_it_is_told() -> None:
    User.objects.create(username="ada", first_name="Ada")

    with live_changes() as found:
        User.objects.update(first_name="Ida")
    assert found == []

    with live_changes() as found:
        Team.changed("Ada", "Ida")
        Card.changed_all()
    assert found == [("tests.Team", "Ada"), ("tests.Team", "Ida"), ("tests.Card", None)]


@pytest.mark.django_db
def test_many_rows_are_deleted_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    User.objects.bulk_create(User(username=f"N{n}", first_name="Ada") for n in range(9))
    rows = User.objects.filter(first_name="Ada")
    with live_changes() as found:
        with django_assert_num_queries(1):
            rows._raw_delete(rows.db)
        Team.changed("Ada")

    assert found == [("tests.Team", "Ada")]
    assert not User.objects.exists()


def keys(found: list[tuple[str, Any]]) -> set[Any]:
    return {key for name, key in found if name == "tests.Team"}


def test_a_row_that_moves_changes_both_keys(ada: Any) -> None:
    ada = User.objects.get(pk=ada.pk)

    with live_changes() as found:
        ada.first_name = "Ida"
        ada.save()
    assert keys(found) == {"Ada", "Ida"}

    with live_changes() as found:
        ada.first_name = "Eda"
        ada.save()
    assert keys(found) >= {"Ida", "Eda"}


def test_a_row_that_was_moved_by_another(ada: Any) -> None:
    User.objects.filter(pk=ada.pk).update(first_name="Ida")
    ada.refresh_from_db()
    ada.first_name = "Eda"

    with live_changes() as found:
        ada.save()
    assert keys(found) >= {"Ida", "Eda"}


def test_a_move_that_is_rolled_back_and_tried_again(ada: Any) -> None:
    ada.first_name = "Ida"
    with rolled_back():
        ada.save()

    with live_changes() as found:
        ada.save()
    assert keys(found) == {"Ada", "Ida"}


def test_deferred_fields_stay_so(
    ada: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        user = User.objects.only("username").get(pk=ada.pk)
    assert "first_name" in user.get_deferred_fields()

    user.first_name = "Ida"
    with live_changes() as found:
        user.save()
    assert keys(found) == {"Ada", "Ida"}


def test_models_made_of_one_that_is_followed_count_too(ada: Any) -> None:
    class Alias(User):  # type: ignore[misc, valid-type]
        class Meta:
            app_label = "users"
            proxy = True

    Team.connect()
    with live_changes() as found:
        Alias.objects.get(pk=ada.pk).save()
    assert keys(found) == {"Ada"}


class TestInATestCase(TestCase):
    def test_runs_what_waits_for_the_commit(self) -> None:
        for _ in range(2):
            with live_changes() as found:
                User.objects.create(username=f"ada {_}", first_name="Ada")
            assert ("tests.Team", "Ada") in found
