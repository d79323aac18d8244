"""The name of a new socket, and what is called after it."""

import keyword
import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
LONGEST = 40
BEFORE_A_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Modules of an app that Django, pytest or a reader expects something else in.
RESERVED = {
    *("admin", "apps", "conftest", "consumers", "forms", "management", "migrations"),
    *("models", "signals", "static", "templates", "templatetags", "tests", "urls"),
    "views",
}


class BadName(ValueError):  # noqa: N818
    """Raised for a name that nothing can be called; its text says why."""


@dataclass(frozen=True)
class Name:
    """A name in snake_case, as a module has it, and its other forms."""

    snake: str

    @classmethod
    def parse(cls, text: str) -> "Name":
        """Return a name given as in LivePrices, live_prices or live-prices."""
        if not NAME.fullmatch(text):
            raise BadName(
                f"“{text}” cannot name a socket: begin with a letter, and take ASCII "
                "letters, digits and single underscores, as in live_prices."
            )
        snake = BEFORE_A_WORD.sub("_", text).replace("-", "_").lower()
        if len(snake) > LONGEST:
            raise BadName(f"“{text}” is too long: take {LONGEST} characters at most.")
        if keyword.iskeyword(snake):
            raise BadName(f"“{snake}” is a keyword of Python: take another name.")
        if snake in RESERVED or snake.startswith("test_"):
            raise BadName(
                f"“{snake}” is what Django or pytest call another part of an app: "
                "take another name."
            )
        return cls(snake)

    @property
    def camel(self) -> str:
        return "".join(word.capitalize() for word in self.snake.split("_"))

    @property
    def slug(self) -> str:
        return self.snake.replace("_", "-")

    @property
    def title(self) -> str:
        return self.snake.replace("_", " ").capitalize()
