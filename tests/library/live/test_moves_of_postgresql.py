"""A row that two move at a time makes all keys stale that it has had."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from channels_live.models import Change
from tests.library.live.regions import User

pytestmark = pytest.mark.django_db(transaction=True)


def move(ada: Any, name: str) -> None:
    with transaction.atomic():
        ada.first_name = name
        ada.save()


def test_a_row_that_is_moved_while_it_is_moved(ada: Any) -> None:
    other = User.objects.get(pk=ada.pk)
    Change.objects.all().delete()
    has_begun = Event()

    def move_meanwhile() -> None:
        has_begun.set()
        try:
            move(other, "Cleo")
        finally:
            connection.close()

    with ThreadPoolExecutor() as executor:
        with transaction.atomic():
            move(ada, "Bea")
            meanwhile = executor.submit(move_meanwhile)
            has_begun.wait()
            with pytest.raises(TimeoutError):  # it waits for this one to commit
                meanwhile.result(0.3)
        meanwhile.result()

    teams = Change.objects.filter(subject__startswith="tests.Team ").order_by("pk")
    told = [row.subject.split(" ", 1)[1] for row in teams]
    assert sorted(told) == ['"Ada"', '"Bea"', '"Bea"', '"Cleo"']
