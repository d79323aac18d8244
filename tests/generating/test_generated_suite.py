"""The suite of a generated project passes, with every service it may meet.

On SQLite, test_project_readme.py runs it, as people do; on PostgreSQL and Redis, and
without the demo there, test_first_push.py, as CI does.
"""

import pytest
from baking import Kitchen, assert_all_passed


@pytest.mark.deep
def test_the_engine_on_the_other_layer_of_channels_redis(
    kitchen: Kitchen, redis_url: str
) -> None:
    project = kitchen.bake({})
    (project.path / "config" / "other.py").write_text(
        "from config.settings import *\n"
        'LAYER = "channels_redis.core.RedisChannelLayer"\n'
        'CHANNEL_LAYERS["channels_live"]["BACKEND"] = LAYER\n'
    )
    done = project.run(
        *("pytest", "-q", "-p", "no:cacheprovider", "apps/chat"),
        env={"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "config.other"},
    )
    assert_all_passed(done.stdout)
