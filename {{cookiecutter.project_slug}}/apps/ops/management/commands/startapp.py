"""Django's command, which knows nothing of apps/."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import startapp


class Command(startapp.Command):
    help = "Write an app into apps/."

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        folder = settings.BASE_DIR / "apps" / name
        template = Path(__file__).parents[2] / "app_template"
        options["directory"] = options["directory"] or str(folder)
        options["template"] = options["template"] or str(template)
        super().handle(**options)
        self.stdout.write(f'Add "apps.{name}" to INSTALLED_APPS in config/settings.py.')
