"""Django's test runner, and the isolation of tests, for it and for pytest.

The processes of `manage.py test --parallel` load it before the apps.
"""

import multiprocessing
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any
from uuid import uuid4
from weakref import WeakSet

from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import StreamingHttpResponse
from django.test import SimpleTestCase, runner
from django.test.signals import setting_changed

IN_TRANSACTION = (
    "This test is in a transaction, which no other thread sees, but a socket or async "
    "code queries the database in another thread. Mark the test with "
    "@pytest.mark.django_db(transaction=True), or make it a TransactionTestCase."
)
ASYNC_STREAM = (
    "The response is an async stream, which may never end. In an async test, get it with "
    "AsyncClient and read its parts: parts = aiter(response), then await anext(parts)."
)

_opened = WeakSet[BaseDatabaseWrapper]()
_lock = Lock()


def init_worker(*args: Any, **kwargs: Any) -> None:
    runner._init_worker(*args, **kwargs)  # type: ignore[attr-defined]
    keep_apart()


class ParallelSuite(runner.ParallelTestSuite):
    init_worker: Any = init_worker


class Runner(runner.DiscoverRunner):
    """Runs tests with sockets, and in parallel: for the setting TEST_RUNNER."""

    parallel_test_suite = ParallelSuite

    def setup_test_environment(self, **kwargs: Any) -> None:
        super().setup_test_environment(**kwargs)
        keep_apart()
        for one in connections.all():
            # Django copies SQLite's file alone, without the log that WAL keeps beside it.
            options = one.settings_dict["OPTIONS"]
            if command := options.get("init_command"):
                options["init_command"] = command.replace("=WAL", "=MEMORY")
        if multiprocessing.get_start_method() == "forkserver":
            # Django would take the files of SQLite into memory, which threads cannot share.
            multiprocessing.set_start_method("fork", force=True)


def separate_layers() -> None:
    """Have channel layers keep nothing of what was sent before, by tests or servers."""
    layers: Any = settings.CHANNEL_LAYERS
    for layer in layers.values():
        if "prefix" in layer.get("CONFIG", {}):
            layer["CONFIG"]["prefix"] = f"test-{uuid4()}"
    # One belongs to an event loop, and each test has a new one.
    channel_layers.backends.clear()


def keep_apart() -> None:
    """Keep this process of tests apart from others, and its tests from each other."""
    case: Any = SimpleTestCase
    call = case.__call__

    def call_apart(self: Any, result: Any = None) -> None:
        separate_layers()
        call(self, result)

    case.__call__ = call_apart
    for cache in settings.CACHES.values():
        cache["KEY_PREFIX"] = f"test-{uuid4()}"
    setting_changed.send(Runner, setting="CACHES", value=settings.CACHES, enter=True)
    settings.CHANNELS_LIVE = {
        **getattr(settings, "CHANNELS_LIVE", {}),
        "SOCKETS_PER_SECOND": 1000,
    }
    connection_created.connect(check_thread, dispatch_uid=__name__)
    wrapper: Any = BaseDatabaseWrapper
    close = wrapper.close_if_unusable_or_obsolete

    def close_unless_in_test(self: Any) -> None:
        # Consumers of Channels would close the connection of the test around them.
        if not is_in_test(self):
            close(self)

    wrapper.close_if_unusable_or_obsolete = close_unless_in_test
    response: Any = StreamingHttpResponse
    for name in ("__iter__", "getvalue"):
        setattr(response, name, unless_async(getattr(response, name)))


def unless_async(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a method of a response that refuses what Django would await the end of."""

    def wrapper(response: Any) -> Any:
        if response.is_async and hasattr(response, "client"):
            raise RuntimeError(ASYNC_STREAM)
        return read(response)

    return wrapper


def check_thread(connection: Any, **kwargs: object) -> None:
    """Raise RuntimeError where a test in a transaction opens a second connection."""
    with _lock:
        others = [one for one in _opened if one.alias == connection.alias]
        _opened.add(connection)
    if any(is_in_test(one) for one in others if one is not connection):
        connection.close()
        raise RuntimeError(IN_TRANSACTION)


def check_test() -> None:
    """Raise RuntimeError where the test is in a transaction."""
    if any(is_in_test(one) for one in list(_opened)):
        raise RuntimeError(IN_TRANSACTION)


def close_elsewhere() -> None:
    """Close the connections of other threads, which would outlive the database."""
    one: Any
    for one in list(_opened):
        if one._thread_ident != get_ident() and not is_in_test(one):
            one.inc_thread_sharing()
            one.close()
            one.dec_thread_sharing()


def is_in_test(connection: Any) -> bool:
    """Whether a connection is in the transaction of a test."""
    return any(block._from_testcase for block in connection.atomic_blocks)
