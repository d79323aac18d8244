"""Write a consumer with its page, the page's client and a test; print the routes."""

import keyword
import re
from pathlib import Path
from string import Template
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

FILES = Path(__file__).parents[2] / "startsocket"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
LONGEST = 40
# Modules of an app that Django, pytest or a reader expects something else in.
RESERVED = {
    *("admin", "apps", "conftest", "consumers", "forms", "management", "migrations"),
    *("models", "signals", "static", "templates", "templatetags", "tests", "urls"),
    "views",
}
BEFORE_A_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
ROUTES = """
Add the routes to config/channels_urls.py:

    from {app}.{name} import {camel}Consumer

    path("ws/{slug}/", {camel}Consumer.as_asgi(), name="ws_{name}"),

and to config/urls.py:

    from {app}.{name} import {name}_page

    path("{slug}/", {name}_page, name="{name}"),

Then open http://localhost:8000/{slug}/ in two browsers, logged in, or run its test:

    uv run pytest {test}
"""


class Command(BaseCommand):
    help = "Write a WebSocket endpoint that works once its routes are added."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", help="app of this project, such as web")
        parser.add_argument("name", help="such as ticker or LivePrices")

    def handle(self, *args: Any, app: str, name: str, **options: Any) -> None:
        config, snake = find_app(app), snake_case(name)
        names = {
            "app": config.label,
            "name": snake,
            "camel": "".join(word.capitalize() for word in snake.split("_")),
            "slug": snake.replace("_", "-"),
            "title": snake.replace("_", " ").capitalize(),
        }
        folder = Path(config.path)
        test = folder / "tests" / f"test_{snake}.py"
        files = {
            folder / f"{snake}.py": "consumer.py-tpl",
            folder / "templates" / config.label / f"{snake}.html": "page.html-tpl",
            folder / "static" / config.label / f"{snake}.js": "client.js-tpl",
            test: "test.py-tpl",
        }
        for path in files:
            if path.exists() or path.with_suffix("").is_dir():
                raise CommandError(
                    f"{relative(path)} is there already: take another name, or move "
                    "it away. Nothing was written."
                )
        for path, source in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = Template((FILES / source).read_text("utf-8")).substitute(names)
            path.write_text(text, encoding="utf-8", newline="\n")
            self.stdout.write(f"created {relative(path)}")
        (test.parent / "__init__.py").touch()
        routes = {**names, "app": config.name, "test": relative(test)}
        self.stdout.write(ROUTES.format(**routes))


def find_app(label: str) -> AppConfig:
    """Return an app that lies in the project. Raises CommandError."""
    found = {
        app.label: app
        for app in apps.get_app_configs()
        if Path(app.path).is_relative_to(settings.BASE_DIR / "apps")
    }
    if label not in found:
        labels = ", ".join(sorted(found))
        raise CommandError(f"This project has no app “{label}”. It has: {labels}.")
    return found[label]


def snake_case(name: str) -> str:
    """Return LivePrices or live-prices as live_prices. Raises CommandError."""
    snake = BEFORE_A_WORD.sub("_", name).replace("-", "_").lower()
    if not NAME.fullmatch(name) or len(snake) > LONGEST or keyword.iskeyword(snake):
        raise CommandError(
            f"“{name}” cannot name a socket: begin with a letter, and take at most "
            f"{LONGEST} ASCII letters, digits and single underscores that are no "
            "keyword of Python, as in live_prices."
        )
    if snake in RESERVED or snake.startswith("test_"):
        raise CommandError(
            f"“{snake}” is what Django or pytest call another part of an app: take "
            "another name."
        )
    return snake


def relative(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()
