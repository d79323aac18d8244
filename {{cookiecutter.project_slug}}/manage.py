#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import BaseCommand, ManagementUtility
        from django.db import OperationalError
    except ImportError as error:
        raise ImportError(
            "Django is not installed in this Python environment: run `uv sync`, "
            "then start commands with `uv run manage.py …`."
        ) from error

    class CommandLine(ManagementUtility):
        def fetch_command(self, subcommand: str) -> BaseCommand:
            # Django would run some without the settings, such as shell.
            if self.settings_exception and self.argv[1] == subcommand:
                raise self.settings_exception
            return super().fetch_command(subcommand)

    try:
        CommandLine(sys.argv).execute()
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv or settings.configured:
            raise
        sys.exit(str(error))  # a wrong setting
    except OperationalError as error:
        if "--traceback" in sys.argv or not str(error).startswith("DATABASE_URL"):
            raise
        sys.exit(f"{error}\nStart or create the database, or correct DATABASE_URL.")


if __name__ == "__main__":
    main()
