"""The suite of a generated project passes, with every service it may meet.

On SQLite, and without the demo there, test_readme.py runs it, as people do.
"""

from baking import Kitchen, Project, Variables, assert_all_passed


def run_suite(project: Project, env: Variables) -> None:
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", env=env)
    assert_all_passed(done.stdout)


def test_with_the_javascript_client_on_postgresql_and_redis(
    javascript_project: Project, postgres: dict[str, str], redis_url: str
) -> None:
    run_suite(javascript_project, env={"REDIS_URL": redis_url, **postgres})


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
    assert_all_passed(done.stdout)


def test_without_the_demo_on_postgresql_and_redis(
    plain_project: Project, postgres: dict[str, str], redis_url: str
) -> None:
    run_suite(plain_project, env={"REDIS_URL": redis_url, **postgres})
