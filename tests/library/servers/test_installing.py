"""When servers are patched, and where they are not even loaded."""

import subprocess
import sys

from django.conf import settings

COMMAND = """
import sys, django
django.setup()
assert "twisted" not in sys.modules

from django.core.management import get_commands, load_command_class
load_command_class(get_commands()["runserver"], "runserver")
from channels_live.servers import daphne
from daphne.server import Server
assert Server.kill_all_applications is daphne.end
"""


def test_daphne_is_loaded_and_patched_by_runserver_alone() -> None:
    run = [sys.executable, "-c", COMMAND]
    subprocess.run(run, cwd=settings.BASE_DIR, check=True)
