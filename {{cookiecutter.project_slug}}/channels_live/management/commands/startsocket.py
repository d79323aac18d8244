"""Write a consumer or a live region, its page and a test; print the routes to add."""

import keyword
import re
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import NoReverseMatch, reverse

from channels_live.utils import websocket_reverse

TEMPLATES = Path(__file__).parents[2] / "startsocket"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
FORMS = {
    "html": "a consumer that pushes rendered HTML into a page (the default)",
    "json": "a consumer that sends JSON to scripts and apps",
    "live": "a live region: a part of a page that follows the database",
}


class Command(BaseCommand):
    help = "Write a WebSocket endpoint that works once its routes are added."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", help="app of this project, such as web")
        parser.add_argument("name", help="such as ticker or live_prices")
        forms = parser.add_mutually_exclusive_group()
        for form, text in FORMS.items():
            forms.add_argument(
                f"--{form}", action="store_const", dest="form", const=form, help=text
            )
        parser.set_defaults(form="html")

    def handle(
        self, *args: Any, app: str, name: str, form: str, **options: Any
    ) -> None:
        app = app.removeprefix("apps.")
        if not apps.is_installed(f"apps.{app}"):
            raise CommandError(f"INSTALLED_APPS has no “apps.{app}”.")
        if keyword.iskeyword(name) or not NAME.fullmatch(name):
            raise CommandError(
                f"“{name}” cannot name a socket. Use lower-case ASCII letters, digits and "
                "single underscores, beginning with a letter, as in live_prices, but no "
                "keyword of Python."
            )
        folder = settings.BASE_DIR / "apps" / app
        test = folder / "tests" / f"test_{name}.py"
        files = {
            folder / f"{name}.py": f"{form}/module.py-tpl",
            folder / "templates" / app / f"{name}.html": f"{form}/page.html-tpl",
            folder / "static" / app / f"{name}.js": f"{form}/client.js-tpl",
            test: f"{form}/test.py-tpl",
        }
        if form == "live":  # there is no JavaScript to write
            del files[folder / "static" / app / f"{name}.js"]
        for path in files:
            if path.exists() or path.with_suffix("").is_dir():
                raise CommandError(
                    f"{relative(path)} already exists. Use another name, or move the "
                    "file. Nothing was written."
                )
        for find, route in ((reverse, name), (websocket_reverse, f"ws_{name}")):
            if form == "live" and find == websocket_reverse:
                continue  # all regions share one
            with suppress(NoReverseMatch):
                find(route)
                raise CommandError(f"A route is named “{route}”. Use another name.")
        names = {
            "app": app,
            "name": name,
            "camel": name.title().replace("_", ""),
            "slug": name.replace("_", "-"),
            "title": name.replace("_", " ").capitalize(),
            "test": relative(test),
        }
        for path, template in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(template, names), encoding="utf-8", newline="\n")
            self.stdout.write(f"created {relative(path)}")
        (test.parent / "__init__.py").touch()
        self.stdout.write(render(f"{form}/routes.txt-tpl", names))


def render(template: str, names: dict[str, str]) -> str:
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(names)


def relative(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()
