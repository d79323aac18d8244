"""What is answered where PostgreSQL does not do what it is asked."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import RequestFactory

from apps.ops.requests import server_error
from config.postgresql import LimitedConnection

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = {
    500: "SELECT length(repeat('a', 2000000000))",
    503: "SET statement_timeout = 50; SELECT pg_sleep(5)",
}


@pytest.mark.parametrize("status", STATEMENTS)
def test_what_is_too_large_is_a_bug_and_no_overload(status: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS[status])
    except OperationalError:
        response = server_error(RequestFactory().get("/"))
    connection.close()  # and its limit with it

    assert response.status_code == status


def test_a_database_that_takes_no_writes_is_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    used: Any = connection.connection

    with pytest.raises(OperationalError, match="read-only transaction"):
        connection.cursor().execute("CREATE TABLE refused ()")

    assert used.closed
    connection.close()


def test_where_one_connection_is_dead_those_of_requests_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection.ensure_connection()
    idle: Any = connection.connection
    connection.close()
    other: Any = connection.copy()
    other._connection_pools = {}  # as in threads of channels_live

    monkeypatch.setattr(LimitedConnection, "limit", 0.1)
    with pytest.raises(OperationalError, match="not answered in time"):
        other.cursor().execute("SELECT pg_sleep(1)")
    monkeypatch.undo()

    assert idle.closed
    other.close()
    other.close_pool()
