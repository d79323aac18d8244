"""What a new version needs before its first process starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from apps.ops.static_files import collect

LOCK = int.from_bytes(b"release", "big")


class Command(BaseCommand):
    help = (
        "Warns of settings that are not for production, migrates the database and "
        "collects the static files. May run any number of times, beside running "
        "processes and, with PostgreSQL, on several machines at once: one of them "
        "migrates, the others wait."
    )

    def handle(self, *args: object, **options: object) -> None:
        with self.one_at_a_time():
            # What is broken has stopped this command already: these are warnings.
            call_command("check", deploy=True, fail_level="CRITICAL")
            call_command("migrate", interactive=False)
            self.collect_static_files(Path(settings.STATIC_ROOT))
        self.stdout.write(self.style.SUCCESS("Released."))

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                self.stdout.write("Waiting for another release to end.")
                self.stdout.flush()
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

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
