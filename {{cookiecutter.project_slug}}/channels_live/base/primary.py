"""Has what reads after a message read the database that was written to.

A replica lags: it may not have yet what the message is about, and nothing says later that
it has.
"""

from contextvars import ContextVar
from typing import Any

from django.db.models import Model
from django.db.utils import ConnectionRouter

# Whether queries of this context are answered by no replica.
from_primary: ContextVar[bool] = ContextVar("from_primary", default=False)


def route_reads() -> None:
    """Ask routers where to write instead, of a model whose table is there."""
    routers: Any = ConnectionRouter
    db_for_read = routers.db_for_read

    def choose(self: Any, model: type[Model], **hints: Any) -> Any:
        if from_primary.get():
            alias = self.db_for_write(model, **hints)
            if model._meta.managed and self.allow_migrate_model(alias, model):
                return alias
        return db_for_read(self, model, **hints)

    routers.db_for_read = choose
