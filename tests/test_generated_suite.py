"""The suite of a generated project passes, with every service it may meet."""

import re
import time
from collections.abc import Callable

from baking import NOTHING, Kitchen, Project, Variables


def run_suite(project: Project, env: Variables = NOTHING) -> None:
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", env=env)
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 0
    assert not re.search(r"\d+ (skipped|warnings?|xfailed)", done.stdout), done.stdout


def test_with_the_htmx_client_in_seconds(
    htmx_project: Project, note: Callable[[str], None]
) -> None:
    start = time.perf_counter()
    run_suite(htmx_project)
    seconds = time.perf_counter() - start
    note(f"suite of a generated project: {seconds:.1f} s")
    assert seconds < 60


def test_with_the_javascript_client(javascript_project: Project) -> None:
    run_suite(javascript_project)


def test_without_the_demo(plain_project: Project) -> None:
    run_suite(plain_project)


def test_on_postgresql_and_redis(
    htmx_project: Project, postgres: dict[str, str], redis_url: str
) -> None:
    run_suite(htmx_project, env={"REDIS_URL": redis_url, **postgres})


def test_the_engine_on_the_other_layer_of_channels_redis(
    kitchen: Kitchen, redis_url: str
) -> None:
    project = kitchen.bake({})
    (project.path / "config" / "other.py").write_text(
        "from config.settings import *\n"
        'LAYER = "channels_redis.core.RedisChannelLayer"\n'
        'CHANNEL_LAYERS["default"]["BACKEND"] = LAYER\n'
    )
    done = project.run(
        *("pytest", "-q", "-p", "no:cacheprovider", "apps/realtime", "apps/chat"),
        env={"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "config.other"},
    )
    assert re.search(r"\d+ passed in", done.stdout), done.stdout


def test_without_the_demo_on_postgresql_and_redis(
    plain_project: Project, postgres: dict[str, str], redis_url: str
) -> None:
    run_suite(plain_project, env={"REDIS_URL": redis_url, **postgres})
