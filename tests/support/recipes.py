"""The recipes of docs/, typed into a project exactly as they are printed."""

import ast
import re
from pathlib import Path

from baking import Project
from readmes import code, section, type_in

# A path between backticks, and the block below its paragraph.
FILE = re.compile(
    r"`((?:apps|templates)/[\w/.]+\.(?:py|html))`(?:(?!\n\n).)*?\n\n"
    r"```(?:python|html)\n(.*?)```",
    re.S,
)
HEADER = "templates/base.html"
LAST_IN_NAV = """{% translate "Sign Up" %}</a>
      {% endif %}
"""
ROUTE = re.compile(
    r"`config/urls.py`, with its imports? (`.*?`):\n\n```python\n(.*?)\n```", re.S
)
# What belongs to the imports of a file of config/, and to its end.
CONFIG = re.compile(
    r"`config/(\w+\.py)`.*?```python\n(.*?)```\n+```python\n(.*?)```", re.S
)
NAMED_INSIDE = re.compile(r"```python\n# (apps/\w+/\w+\.py)\n(.*?)```", re.S)
# Their framework is not installed.
FOREIGN = "apps/orders/api.py"
# What the page leaves to its reader.
TOKENS = """from apps.users.models import User


def user_of(token: str) -> User | None:
    return User.objects.filter(username=token.removeprefix("Bearer ")).first()
"""
IMPORTS = """from collections.abc import Iterable, Sequence
from typing import Any

from apps.orders.models import Order
from channels_live import Live


"""
INSTALLED = re.compile(r'`("apps\.\w+")` to\s+`INSTALLED_APPS`')
MIGRATE = re.compile(r"`(uv run python manage\.py makemigrations \w+)`")


def type_all(project: Project) -> None:
    for page in ("live.md", "jobs.md", "json.md"):
        type_page(project, page)
    rows = code(section(project.path / "docs" / "live.md", "Many regions"), "python")
    path = project.path / "apps" / "orders" / "live.py"
    path.write_text(IMPORTS + "\n\n".join(rows), "utf-8")
    # This page shows other things beside this app.
    said = project.manage("startapp", "news")
    assert said == 'Add "apps.news" to INSTALLED_APPS in config/settings.py.\n'
    install(project, '"apps.news"')
    for page in ("realtime.md", "json.md"):
        for name, source in named_inside(project, page).items():
            if name != FOREIGN:
                (project.path / name).write_text(source, "utf-8")
    (project.path / "apps" / "orders" / "tokens.py").write_text(TOKENS, "utf-8")
    endpoint = section(project.path / "README.md", "Add a WebSocket endpoint")
    consumer, _ = code(endpoint, "python")
    (project.path / "apps" / "web" / "shout.py").write_text(consumer, "utf-8")
    project.manage("makemigrations")


def page_of(project: Project, page: str) -> str:
    return (project.path / "docs" / page).read_text("utf-8")


def named_inside(project: Project, page: str) -> dict[str, str]:
    """Return blocks that begin with their path, by these."""
    return dict(NAMED_INSIDE.findall(page_of(project, page)))


def type_page(project: Project, page: str) -> None:
    """Type what the page says, where it says so."""
    text = page_of(project, page)
    shell = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    for block in code(text, "sh"):
        type_in(block, project.path, shell)
    for name, source in FILE.findall(text):
        path = project.path / name
        if name == HEADER:
            continue  # see type_header()
        if path.name == "home.html":
            insert(path, "{% block main %}\n", source)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
    urls = project.path / "config" / "urls.py"
    for statements, route in ROUTE.findall(text):
        insert(urls, "urlpatterns = [\n", f"    {route},\n")
        for statement in re.findall("`(.*?)`", statements):
            insert(urls, "import TemplateView\n\n", f"{statement}\n")
    for name, imports, rest in CONFIG.findall(text):
        path = project.path / "config" / name
        before, listed, after = path.read_text("utf-8").partition("from django.urls")
        path.write_text(f"{before}{imports}{listed}{after}\n{rest}", "utf-8")
    for app in INSTALLED.findall(text):
        install(project, app)
    for command in MIGRATE.findall(text):
        type_in(command, project.path, shell)


def type_header(project: Project, page: str) -> None:
    """Type what belongs to the header of all pages."""
    for name, source in FILE.findall(page_of(project, page)):
        if name == HEADER:
            insert(project.path / name, LAST_IN_NAV, source)


def install(project: Project, app: str) -> None:
    settings = project.path / "config" / "settings.py"
    insert(settings, '    "apps.ops",\n', f"    {app},\n")


def insert(path: Path, after: str, text: str) -> None:
    found = path.read_text("utf-8")
    assert after in found, after
    path.write_text(found.replace(after, after + text, 1), "utf-8")


def blocks(recipe: str) -> list[str]:
    """What a user writes, without models and tests."""
    return [
        *INSTALLED.findall(recipe),
        *(
            source
            for name, source in FILE.findall(recipe)
            if not name.endswith("/models.py") and "/tests/" not in name
        ),
        *(
            line
            for statements, route in ROUTE.findall(recipe)
            for line in (*re.findall("`(.*?)`", statements), route)
        ),
        *(f"{imports}\n{rest}" for _, imports, rest in CONFIG.findall(recipe)),
    ]


def count_lines(*written: str) -> int:
    return sum(bool(line.strip()) for text in written for line in text.split("\n"))


def model_of(recipe: str) -> str:
    """The file of a recipe's models, which are not counted."""
    (source,) = (
        source for name, source in FILE.findall(recipe) if name.endswith("/models.py")
    )
    return str(source)


def client_of(recipe: str) -> str:
    """The program that connects to the endpoint of a recipe."""
    (source,) = re.findall(r"`orders.py`.*?```python\n(.*?)```", recipe, re.S)
    return str(source)


def assert_is_model(source: str) -> None:
    """Nothing is in it that a model does not need: what it does would have to count."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).startswith("django."), node.module
        assert not isinstance(node, ast.Import), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            assert node.name == "__str__"
