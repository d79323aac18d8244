"""Start a WebSocket endpoint: a consumer, its route, a page with its client, a test."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.realtime.startsocket.naming import BadName, Name
from apps.realtime.startsocket.plan import Plan, project_apps
from apps.realtime.startsocket.routes import Route, RouteFile, RouteTaken, Unreadable


class Command(BaseCommand):
    help = "Write a WebSocket endpoint that works at once, for you to go on from."
    # A project whose routes lead to a file that was deleted can have it written anew.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", help="app of this project, such as web")
        parser.add_argument("name", help="such as ticker or LivePrices")
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="ask nothing; files that were changed stay as they are",
        )

    def handle(
        self, *args: Any, app: str, name: str, interactive: bool, **options: Any
    ) -> None:
        plan = self.make_plan(app, name)
        try:
            missing = self.missing_routes(plan)
        except RouteTaken as error:
            raise CommandError(f"{error} Take another name.") from None
        for path, text in plan.files.items():
            self.write(path, text, interactive=interactive)
        if plan.test.parent != plan.folder:
            (plan.test.parent / "__init__.py").touch()
        for path, variable, route in missing:
            self.add(path, variable, route)
        self.stdout.write(
            f"\nOpen http://localhost:8000{plan.url} in two browsers, logged in.\n"
            f"Its test: uv run pytest {self.relative(plan.test)}"
        )

    def make_plan(self, app: str, name: str) -> Plan:
        """Return what is to be written; nothing that is there already is in its way."""
        found = [one for one in project_apps() if app in (one.label, one.name)]
        if not found:
            labels = ", ".join(sorted(one.label for one in project_apps()))
            raise CommandError(f"This project has no app “{app}”. It has: {labels}.")
        try:
            plan = Plan(found[0], Name.parse(name))
        except BadName as error:
            raise CommandError(str(error)) from None
        there = [path for path in plan.files if path.exists()]
        if (package := plan.module.with_suffix("")).is_dir():
            there.insert(0, package)
        if there and plan.is_new:
            raise CommandError(
                f"{self.relative(there[0])} is there already and belongs to something "
                "else. Take another name, or move it away."
            )
        return plan

    def missing_routes(self, plan: Plan) -> list[tuple[Path, str, Route]]:
        """Return the routes that are to be added. Raises RouteTaken."""
        missing = []
        for path, variable, route in plan.routes:
            try:
                if RouteFile(path, variable).has(route):
                    continue
            except Unreadable:
                pass
            missing.append((path, variable, route))
        with suppress(Unreadable):
            RouteFile(*plan.root).has(replace(plan.page, path=plan.url.lstrip("/")))
        return missing

    def write(self, path: Path, text: str, *, interactive: bool) -> None:
        name = self.relative(path)
        if path.exists():
            if path.read_text("utf-8") == text:
                self.stdout.write(f"unchanged  {name}")
                return
            if not (interactive and self.may_overwrite(name)):
                self.stdout.write(f"kept       {name}")
                return
            done = "overwrote"
        else:
            done = "created"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        self.stdout.write(f"{done:9}  {name}")

    def may_overwrite(self, name: str) -> bool:
        try:
            answer = input(f"{name} was changed. Overwrite it? [y/N] ")
        except EOFError:
            self.stdout.write("")
            return False
        return answer.strip().lower() in {"y", "yes"}

    def add(self, path: Path, variable: str, route: Route) -> None:
        name = self.relative(path)
        try:
            RouteFile(path, variable).add(route)
        except Unreadable as error:
            self.stderr.write(
                f"{name} is left alone. {error} Add this yourself, to {variable}:\n\n"
                f"{route.import_line}\n\n{route.item}"
            )
        else:
            self.stdout.write(f"changed    {name}: {route}")

    def relative(self, path: Path) -> str:
        return str(path.relative_to(settings.BASE_DIR))
