"""docs/security.md names what is there, and leaves nothing of the lists out."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from baking import TEMPLATE, Project

# OWASP's WebSocket Security Cheat Sheet, in our words and its order.
WEBSOCKETS = (
    *("WSS only", "RFC 6455 only", "no compression", "proxy passes upgrades"),
    *("firewall inspects frames", "origin allowlist", "no origin, no entry"),
    *("tokens in the handshake", "SameSite cookies"),
    *("authentication at the handshake", "expiry of sessions", "logout closes"),
    *("bearer tokens", "refresh of tokens", "rights for each action"),
    *("structure of messages", "injection", "size of messages", "binary data"),
    *("safe parsing", "tunnels", "connections of a person", "connections in a loop"),
    *("connections in all", "rate of messages", "dead connections"),
    *("idle connections", "back-pressure", "log of events", "log without secrets"),
    *("tests of the above", "exceptions end no process", "libraries up to date"),
)
# Django's deployment checklist, as of 6.1.
DEPLOYMENT = (
    *("`check --deploy`", "not `runserver`", "`SECRET_KEY`", "`SECRET_KEY_FALLBACKS`"),
    *("`DEBUG`", "`ALLOWED_HOSTS`", "`CACHES`", "`DATABASES`", "`MAILERS`"),
    *("`STATIC_ROOT`", "`MEDIA_ROOT`", "HTTPS everywhere", "`CSRF_COOKIE_SECURE`"),
    *("`SESSION_COOKIE_SECURE`", "sessions", "`CONN_MAX_AGE`", "`TEMPLATES`"),
    *("`LOGGING`", "`ADMINS` and `MANAGERS`", "error pages"),
)
CHAT = ("rights in the chat", "injection in the chat", "rate in the chat")
NOTHING = "—"
HEADINGS = {"item", "---"}


def rows(text: str) -> Iterator[tuple[str, str, str, str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            item, done, where, test = (cell.strip() for cell in line.split("|")[1:-1])
            if item not in HEADINGS:
                yield item, done, where.strip("`"), test.strip("`")


@pytest.fixture(params=["production", "plain_project"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A copy of the project, with the library's tests, which the table names, in it."""
    found: Project = request.getfixturevalue(request.param)
    copy = tmp_path / "project"
    ignored = shutil.ignore_patterns(".venv", "__pycache__", "*.sqlite3*", "*.sock")
    shutil.copytree(found.path, copy, ignore=ignored)
    library = TEMPLATE / "tests" / "library"
    shutil.copytree(library, copy / "tests" / "library", ignore=ignored)
    (copy / "tests" / "__init__.py").touch()
    return Project(copy, found.venv)


def test_every_item_is_there_with_files_and_tests_that_exist(project: Project) -> None:
    table = list(rows((project.path / "docs" / "security.md").read_text("utf-8")))
    has_chat = (project.path / "apps" / "chat").exists()
    items = [item for item, *_ in table]
    assert len(items) == len(set(items))
    wanted = {*WEBSOCKETS, *DEPLOYMENT, *(CHAT if has_chat else ())}
    assert wanted <= set(items), wanted - set(items)
    for item, done, where, test in table:
        assert where != NOTHING or "**yours**" in done, item
        assert where == NOTHING or (project.path / where).exists(), where
        assert test == NOTHING or "::" in test, item
    named = {test for *_, test in table if test != NOTHING}
    assert len(named) > 40
    # pytest itself says which of them there are: it would miss one that is renamed.
    listed = project.run("pytest", "--collect-only", "-q", *sorted(named)).stdout
    found = {re.sub(r"\[.*", "", line) for line in listed.splitlines() if "::" in line}
    assert found == named
