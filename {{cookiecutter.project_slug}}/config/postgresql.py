"""What the settings need to know of PostgreSQL."""

from selectors import EVENT_READ, DefaultSelector
from typing import Any

from psycopg import Connection, OperationalError


def check_connection(connection: Connection[Any]) -> None:
    """Raise OperationalError where the server has hung up on a pooled connection.

    Nothing but its end can be read from an idle connection. To look for that costs no
    round trip, as a query would.
    """
    with DefaultSelector() as selector:
        selector.register(connection, EVENT_READ)
        if selector.select(timeout=0):
            connection.close()  # or the pool would keep it
            raise OperationalError("The server has closed the connection.")
