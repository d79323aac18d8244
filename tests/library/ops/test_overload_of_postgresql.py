"""What is answered where PostgreSQL does not do what it is asked."""

import pytest
from django.db import OperationalError, connection
from django.test import RequestFactory

from apps.ops.overload import server_error

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
