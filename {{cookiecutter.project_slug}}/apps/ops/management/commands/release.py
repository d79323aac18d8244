"""What a new version needs before its first process starts."""

import filecmp
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.files.storage import storages
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

LOCK = int.from_bytes(b"release", "big")
MANIFEST = "staticfiles.json"


class Command(BaseCommand):
    help = (
        "Warns of settings that are not for production, migrates the database and "
        "collects the static files. May run any number of times, beside running "
        "processes and, with PostgreSQL, on several machines at once: one of them "
        "migrates, the others wait."
    )

    def handle(self, *args: object, **options: object) -> None:
        if connection.vendor == "postgresql":
            # Wait for other releases, and have others wait until this connection ends.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        # What is broken has stopped this command already: these are warnings.
        call_command("check", deploy=True, fail_level="CRITICAL")
        call_command("migrate", interactive=False)
        self.collect_static_files(Path(settings.STATIC_ROOT))
        self.stdout.write(self.style.SUCCESS("Released."))

    def collect_static_files(self, root: Path) -> None:
        """Collect, unless they were when an image was built, which is read-only now."""
        if not root.exists() or os.access(root, os.W_OK):
            self.stdout.write(f"Static files: {collect(root)} new or changed in {root}")
        elif any(root.iterdir()):
            self.stdout.write(f"Static files: kept as they are in {root}, read-only")
        else:
            raise CommandError(
                f"{root} is read-only and empty. Make it writable, or run "
                "collectstatic when the image is built."
            )


def collect(root: Path) -> int:
    """Collect static files into a folder, each in one step; return how many changed.

    Django's collectstatic writes anew even what has not changed, and who asks a running
    process for a file meanwhile gets half of it. Nothing is deleted: pages of an older
    version are still open in browsers.
    """
    with TemporaryDirectory() as folder:
        command: Any = collectstatic.Command()
        command.storage = storages.create_storage(
            {**settings.STORAGES["staticfiles"], "OPTIONS": {"location": folder}}
        )
        # servestatic would note sizes, and expect them of an old version.
        command.storage.add_stats_to_manifest = lambda: None
        call_command(command, interactive=False, verbosity=0)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        # The manifest names the others, so it comes last.
        files.sort(key=lambda path: path.name == MANIFEST)
        return sum(replace(root / path.relative_to(folder), path) for path in files)


def replace(old: Path, new: Path) -> bool:
    """Replace a file unless it is the same; return whether it was not."""
    if old.exists() and filecmp.cmp(old, new, shallow=False):
        return False
    old.parent.mkdir(parents=True, exist_ok=True)
    beside = old.with_name(f".{old.name}.new")
    shutil.copyfile(new, beside)
    beside.replace(old)
    return True
