"""What a new version needs before its first process starts."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.sites.models import Site
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.checks import run_checks
from django.core.files.storage import storages
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

DEVELOPMENT = "localhost:8000"  # SITE_DOMAIN where DEBUG is true
MANIFEST = "staticfiles.json"
LOCK = int.from_bytes(b"release", "big")


class Command(BaseCommand):
    help = "Check the settings, migrate the database and collect the static files."
    requires_system_checks = ()  # they are made below

    def handle(self, *args: object, **options: object) -> None:
        if settings.DEBUG:
            raise CommandError(
                "DEBUG is true, which is for development. Set DEBUG=false in .env, or for "
                "this command: static files would lack the names that production uses."
            )
        if connection.vendor == "postgresql":
            # Wait for other releases, and have others wait until this connection ends.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        call_command("check", deploy=True, fail_level="CRITICAL")
        # Errors of a deployment alone may be meant, such as a mailer that sends nothing.
        if any(one.is_serious() and not one.is_silenced() for one in run_checks()):
            raise CommandError("Nothing is released with these errors.")
        call_command("migrate", interactive=False)
        if Site.objects.get_current().domain == DEVELOPMENT != settings.SITE_DOMAIN:
            self.stderr.write(
                f"The Site is {DEVELOPMENT}, because its database was created in "
                "development; links in e-mails lead there. Change it in the admin."
            )
        root = Path(settings.STATIC_ROOT)
        # Those of an image are read-only: they were collected when it was built.
        if os.access(root, os.W_OK) or not (root / MANIFEST).exists():
            try:
                collect(root)
            except OSError as error:
                raise CommandError(
                    f"Static files: {error}. If {root} is read-only and empty, make it "
                    "writable, or run collectstatic when the image is built."
                ) from error
        self.stdout.write(self.style.SUCCESS("Released."))


def collect(root: Path) -> None:
    """Collect static files into a folder, each in one step.

    Django's collectstatic writes into files that a running process may be sending.
    Nothing is deleted: pages of an older version are still open in browsers.
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
        for new in sorted(files, key=lambda path: path.name == MANIFEST):
            old = root / new.relative_to(folder)
            old.parent.mkdir(parents=True, exist_ok=True)
            beside = old.with_name(f".{old.name}.new")
            shutil.copyfile(new, beside)
            beside.replace(old)
