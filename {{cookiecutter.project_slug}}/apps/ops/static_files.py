"""Collects static files under the feet of processes that serve them.

Django's collectstatic deletes and writes anew even what has not changed, and who asks
for a file meanwhile gets half of it, or none.
"""

import filecmp
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.files.storage import storages
from django.core.management import call_command

MANIFEST = "staticfiles.json"


def collect(root: Path) -> int:
    """Collect static files into a folder, each in one step; return how many changed.

    Nothing is deleted: pages of an older version are still open in browsers.
    """
    with TemporaryDirectory() as folder:
        fresh = Path(folder)
        command = collectstatic.Command()
        command.storage = storages.create_storage(
            {**settings.STORAGES["staticfiles"], "OPTIONS": {"location": folder}}
        )
        call_command(command, interactive=False, verbosity=0)
        forget_sizes(fresh / MANIFEST)
        files = [path for path in fresh.rglob("*") if path.is_file()]
        # The manifest names the others, so it comes last.
        files.sort(key=lambda path: path.name == MANIFEST)
        return sum(replace(root / path.relative_to(fresh), path) for path in files)


def forget_sizes(manifest: Path) -> None:
    """Have servestatic look at the files itself: it noted those of the old version."""
    if manifest.exists():
        noted = json.loads(manifest.read_text())
        noted.pop("stats", None)
        manifest.write_text(json.dumps(noted))


def replace(old: Path, new: Path) -> bool:
    """Replace a file unless it is the same; return whether it was not."""
    if old.exists() and filecmp.cmp(old, new, shallow=False):
        return False
    old.parent.mkdir(parents=True, exist_ok=True)
    beside = old.with_name(f".{old.name}.new")
    shutil.copyfile(new, beside)
    beside.replace(old)
    return True
