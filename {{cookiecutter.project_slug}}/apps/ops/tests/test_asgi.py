"""The servers load the application as they do: without manage.py, which sets Django up."""

import os
import subprocess
import sys

from django.conf import settings


def test_it_needs_nothing_to_be_loaded_before() -> None:
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", "import config.asgi"],
        cwd=settings.BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
