"""What the settings need to know of PostgreSQL."""

from typing import Any, Self, override

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import Connection, OperationalError, errors
from psycopg_pool import PoolTimeout

_wrapper: Any = DatabaseWrapper
_get_new_connection = _wrapper.get_new_connection


class LimitedConnection(Connection[Any]):
    """Waits no longer for an answer than WEB_DATABASE_LIMITS lets a statement take.

    That is for a network which swallows answers and acknowledges what is sent: neither
    the server nor the operating system notices.
    """

    limit: float | None = None  # seconds
    refusal: object = "The server does not answer."  # or why, or None: it has answered

    @override
    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        try:
            connection = super().connect(*args, **kwargs)
        except OperationalError as error:
            LimitedConnection.refusal = error
            raise
        LimitedConnection.refusal = None
        return connection

    @override
    def wait(
        self, gen: Any, interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.limit)
        except errors._WaitTimeout:
            self.close()
            # Others are likely to be as dead. Requests may have another pool than this.
            wrapper: Any = type(connections["default"])
            pools = {getattr(self, "_pool", None), *wrapper._connection_pools.values()}
            for pool in pools - {None}:
                pool.drain()
            raise OperationalError("The server has not answered in time.") from None
        except errors.ReadOnlySqlTransaction as error:
            # Of a standby, as after a failover: another connection may lead elsewhere.
            self.close()
            raise OperationalError(str(error)) from None


def get_new_connection(self: Any, parameters: Any) -> Any:
    """Raise what PostgreSQL says: a pool says only how long it has waited."""
    try:
        return _get_new_connection(self, parameters)
    except OperationalError as error:
        late = isinstance(error, PoolTimeout)
        reason = LimitedConnection.refusal if late else error
        if reason is None:  # all connections are in use
            raise
        where = "{HOST}:{PORT}/{NAME}".format_map(self.settings_dict)
        text = " ".join(str(reason).split())
        raise type(error)(f"DATABASE_URL ({where}): {text}") from None


_wrapper.get_new_connection = get_new_connection


def as_options(limits: dict[str, int]) -> str:
    return " ".join(f"-c {name}={value}s" for name, value in limits.items())


def limit_statements() -> None:
    """Have WEB_DATABASE_LIMITS hold in this process, which is a server."""
    options = connections["default"].settings_dict["OPTIONS"]
    if options["options"] == as_options(settings.DATABASE_LIMITS):  # or DATABASE_URL's
        options["options"] = as_options(settings.WEB_DATABASE_LIMITS)
    if limit := settings.WEB_DATABASE_LIMITS.get("statement_timeout"):
        LimitedConnection.limit = limit + 2  # let the server be the first to give up


def check_connection(connection: Connection[Any]) -> None:
    """Raise OperationalError where the server has hung up. No query is made for that."""
    for _ in range(2):  # its last words, and its end
        connection.pgconn.consume_input()
