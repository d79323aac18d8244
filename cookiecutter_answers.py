"""What the prompts accept, and how an answer is written into a file.

Cookiecutter loads this module as a Jinja extension. That way a bad answer is
refused before the output folder is made: a hook would come too late for a slug
such as ``a/b``, whose folders cookiecutter makes first and does not all remove.
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Mapping, MutableMapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment
from jinja2.ext import Extension
from rich.prompt import Prompt
from slugify import slugify

# With which cookiecutter and cruft ask nothing.
UNASKED = {"--no-input", "-y"}
TEXTS = ("project_name", "description", "author_name", "author_email")

# The project's own top-level names, and what its dependencies bring: a project
# of one of these names cannot be installed beside them or hides them.
RESERVED = sys.stdlib_module_names | {
    "allauth",
    "apps",
    "asgiref",
    "channels",
    "channels_live",
    "channels_redis",
    "config",
    "conftest",
    "daphne",
    "deploy",
    "django",
    "django_allauth",
    "django_browser_reload",
    "django_environ",
    "django_htmx",
    "django_ox",
    "django_stubs",
    "docs",
    "environ",
    "fixtures",
    "hiredis",
    "lazy_loader",
    "limits",
    "manage",
    "mypy",
    "mypy_plugin",
    "pip",
    "playwright",
    "pre_commit",
    "prometheus_client",
    "psycopg",
    "psycopg_pool",
    "pytest",
    "pytest_asyncio",
    "pytest_django",
    "redis",
    "ruff",
    "sentry_sdk",
    "servestatic",
    "setuptools",
    "site_packages",
    "static",
    "staticfiles",
    "templates",
    "tblib",
    "test",
    "tests",
    "twisted",
    "uv",
    "uvicorn",
    "websockets",
}
# Windows opens a device where a folder of these names is asked for.
DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}

SLUG = re.compile(r"[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?")
SLUG_LENGTH = 60
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = re.compile(rf"{LABEL}(\.{LABEL})*")
DOMAIN_LENGTH = 100  # what the column of Django's Site holds
EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{DOMAIN.pattern}")


def problems(answers: Mapping[str, Any]) -> list[str]:
    """One sentence for each answer that no project could be made of."""
    found = [
        f"{name} must be a single line of text, without control characters."
        for name in TEXTS
        if not is_line(str(answers[name]))
    ]
    if not str(answers["project_name"]).strip():
        found.append("project_name must not be empty.")
    checks = {
        "project_slug": slug_problem,
        "author_email": email_problem,
        "domain_name": domain_problem,
        "timezone": timezone_problem,
    }
    for name, check in checks.items():
        answer = str(answers[name])
        if problem := check(answer):
            found.append(f"{name} {answer!a} {problem}.")
    return found


def is_line(text: str) -> bool:
    """Whether text has no control character, line break or lone surrogate."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def slug_problem(slug: str) -> str:
    if not SLUG.fullmatch(slug) or keyword.iskeyword(slug):
        return (
            "is no usable Python identifier: use ASCII letters, digits and "
            "underscores, begin with a letter, end with a letter or digit, "
            "and avoid Python's keywords"
        )
    if len(slug) > SLUG_LENGTH:
        return f"is longer than {SLUG_LENGTH} characters"
    if slug.lower() in RESERVED:
        return "is taken: a module of Python, of a dependency or of the project itself"
    if slug.lower() in DEVICES:
        return "is the name of a device on Windows"
    return ""


def email_problem(email: str) -> str:
    return "" if not email or EMAIL.fullmatch(email) else "is no e-mail address"


def domain_problem(domain: str) -> str:
    if len(domain) > DOMAIN_LENGTH:
        return f"is longer than {DOMAIN_LENGTH} characters"
    if not DOMAIN.fullmatch(domain):
        return "is no host name: write it as in chat.example.com, in ASCII"
    return ""


def timezone_problem(timezone: str) -> str:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "is no time zone of the IANA database, such as Europe/Berlin"
    return ""


def checked(answers: MutableMapping[str, Any]) -> str:
    """Nothing, once all answers are good.

    Bad ones are asked for again, so that somebody at a prompt does not lose the others.
    Where nobody is asked, they end cookiecutter with their problems.
    """
    while found := problems(answers):
        if not sys.stdin.isatty() or UNASKED & set(sys.argv):
            raise SystemExit("\n".join(found))
        for problem in found:
            print(problem)
            name = problem.split()[0]
            answers[name] = Prompt.ask(f"  {name}", default="", show_default=False)
    return ""


def slug(name: str) -> str:
    """A slug made from any name that `problems` has no objection to."""
    made = slugify(name, separator="_", max_length=40) or "my_project"
    if made[0].isdigit():
        made = f"project_{made}"
    return f"{made}_project" if slug_problem(made) else made


def literal(text: str) -> str:
    """Text for between double quotes in Python, TOML and YAML alike.

    A quote is escaped by its number: the formatter would turn a string around
    that holds an escaped one, and the project is to be formatted as it is made.
    """
    return "".join(
        c if c.isprintable() and c not in '"\\' else _escaped(c) for c in text
    )


def _escaped(character: str) -> str:
    if character == "\\":
        return r"\\"
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, where a line begins."""
    inside = re.sub(r"([\\`*_{}\[\]<>&#|~!$])", r"\\\1", text.strip(" "))
    return re.sub(r"^([0-9]*)([-+=.)])", r"\1\\\2", inside)


# The formatter wants a blank line between an import and the comment that ends its
# condition; in the project, where the comment is gone, it does not.
BLANK_AFTER_IMPORT = re.compile(r"(?m)^((?:from|import) .+\n)\n(?=# % end)")


class Answers(Extension):
    """Gives the filters of this module to cookiecutter.json, hooks and template."""

    def preprocess(
        self, source: str, name: str | None, filename: str | None = None
    ) -> str:
        return BLANK_AFTER_IMPORT.sub(r"\1", source)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # Read again for the next environment: cruft renders two commits of the
        # template in one process.
        sys.modules.pop(__name__, None)
        for function in (checked, literal, markdown, problems, slug):
            environment.filters[function.__name__] = function
