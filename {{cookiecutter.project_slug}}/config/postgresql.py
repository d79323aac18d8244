"""What the settings need to know of PostgreSQL."""

import atexit
from selectors import EVENT_READ, DefaultSelector

from django.db import connections
from psycopg import Connection, OperationalError


def check_connection(connection: Connection) -> None:
    """Raise OperationalError where the server has hung up on a pooled connection.

    Nothing but its end can be read from an idle connection. To look for that costs no
    round trip, as a query would.
    """
    with DefaultSelector() as selector:
        selector.register(connection, EVENT_READ)
        if selector.select(timeout=0):
            connection.close()  # or the pool would keep it
            raise OperationalError("The server has closed the connection.")


@atexit.register
def close_pool() -> None:
    """End the threads of the pool. Python would wait five seconds for each, in vain."""
    connections["default"].close_pool()  # type: ignore[attr-defined]
