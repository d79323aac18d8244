"""What a new socket consists of, and where in the project it belongs."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from django.apps import AppConfig, apps
from django.conf import settings

from apps.realtime.startsocket.naming import Name
from apps.realtime.startsocket.routes import Route, RouteFile, Unreadable, constants

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Mount:
    """The file of routes that a page belongs in, and what comes before its path."""

    file: Path
    prefix: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class Plan:
    """A socket-to-be of an app."""

    app: AppConfig
    name: Name

    @property
    def folder(self) -> Path:
        return Path(self.app.path)

    @property
    def module(self) -> Path:
        return self.folder / f"{self.name.snake}.py"

    @property
    def test(self) -> Path:
        file = f"test_{self.name.snake}.py"
        # A folder `tests` would hide the module that `startapp` makes.
        is_module = (self.folder / "tests.py").exists()
        return self.folder / file if is_module else self.folder / "tests" / file

    @property
    def is_new(self) -> bool:
        """Whether the app has no socket of this name."""
        try:
            return f"class {self.name.camel}Consumer(" not in self.module.read_text()
        except OSError:
            return True

    @cached_property
    def files(self) -> dict[Path, str]:
        """The socket's files and what is to be in them."""
        app, name, client = self.app.label, self.name.snake, FILES / find_client()
        sources = {
            self.module: FILES / "consumer.py-tpl",
            self.folder / "templates" / app / f"{name}.html": client / "page.html-tpl",
            self.folder / "static" / app / f"{name}.js": client / "client.js-tpl",
            self.test: FILES / "test.py-tpl",
        }
        values = {
            "app": app,
            "name": name,
            "camel": self.name.camel,
            "slug": self.name.slug,
            "title": self.name.title,
            "route": self.socket.name,
            "page": f"{self.mount.namespace}{self.page.name}",
        }
        return {
            path: Template(source.read_text("utf-8")).substitute(values)
            for path, source in sources.items()
        }

    @property
    def socket(self) -> Route:
        return Route(
            path=f"ws/{self.name.slug}/",
            view=f"{self.name.camel}Consumer.as_asgi()",
            name=f"ws_{self.name.snake}",
            module=f"{self.app.name}.{self.name.snake}",
        )

    @property
    def page(self) -> Route:
        return Route(
            path=f"{self.name.slug}/",
            view=f"{self.name.snake}_page",
            name=self.name.snake,
            module=f"{self.app.name}.{self.name.snake}",
        )

    @property
    def routes(self) -> list[tuple[Path, str, Route]]:
        """The routes, each with its file and the list in it that it belongs in."""
        return [
            (
                module_path(settings.WEBSOCKET_URLCONF),
                "websocket_urlpatterns",
                self.socket,
            ),
            (self.mount.file, "urlpatterns", self.page),
        ]

    @property
    def root(self) -> tuple[Path, str]:
        """The project's own file of routes, and the list in it."""
        return module_path(settings.ROOT_URLCONF), "urlpatterns"

    @cached_property
    def mount(self) -> Mount:
        """The app's own urls.py where the project's includes it, or the project's."""
        root, variable = self.root
        own = self.folder / "urls.py"
        try:
            includes = RouteFile(root, variable).calls
            tree = RouteFile(own, "urlpatterns").tree
        except Unreadable:
            return Mount(root)
        for call in includes:
            if f"include('{self.app.name}.urls')" in ast.unparse(call):
                prefix = next(iter(constants(call)), None)
                if isinstance(prefix, str) and "<" not in prefix:
                    return Mount(own, prefix, find_namespace(tree))
        return Mount(root)

    @property
    def url(self) -> str:
        return f"/{self.mount.prefix}{self.page.path}"


def find_client() -> str:
    # % if cookiecutter.include_chat_demo and cookiecutter.chat_client == "htmx"
    if apps.is_installed("django_htmx"):
        return "htmx"
    # % endif
    return "javascript"


def find_namespace(tree: ast.Module) -> str:
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name("app_name")], ast.Constant(str(name))):
                return f"{name}:"
    return ""


def project_apps() -> list[AppConfig]:
    """The project's apps, but for the one that sockets are made of."""
    folder = Path(settings.BASE_DIR) / "apps"
    return [
        app
        for app in apps.get_app_configs()
        if Path(app.path).is_relative_to(folder) and app.name != "apps.realtime"
    ]


def module_path(module: str) -> Path:
    return Path(settings.BASE_DIR, *module.split(".")).with_suffix(".py")
