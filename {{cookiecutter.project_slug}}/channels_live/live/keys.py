"""What a region's key may be, and how keys travel: in names, notices and rows."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

type Key = int | str | UUID | Decimal | date | datetime | tuple["Key", ...]

# What JSON has no type for, and how it is made of its text.
TYPES: Mapping[str, Callable[[str], Any]] = {
    "UUID": UUID,
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def encode(key: Any) -> Any:
    """Return a key as JSON has it. Raises TypeError."""
    if isinstance(key, tuple):
        return [encode(part) for part in key]
    if type(key).__name__ in TYPES:
        return {type(key).__name__: str(key)}
    if isinstance(key, (int, str)) and not isinstance(key, bool):
        return key
    names = ", ".join(TYPES)
    raise TypeError(
        f"Expected a region's key as int, str, {names} or a tuple of these, got {key!r}."
    )


def decode(value: Any) -> Any:
    """Return the key that was encoded."""
    if isinstance(value, list):
        return tuple(decode(part) for part in value)
    if isinstance(value, dict):
        ((name, text),) = value.items()
        return TYPES[name](text)
    return value


def subject(region: str, key: Any = None) -> str:
    """Return what a notice is about: a key of a region, or without a key all of them.

    A number or a UUID and the text of it are one.
    """
    text = "" if key is None else as_json(typed(key))
    return f"{region} {text}"


def as_json(key: Any) -> str:
    """Return a key as JSON. Raises TypeError."""
    return json.dumps(encode(key), separators=(",", ":"))


def typed(key: Any) -> Any:
    """Return the number or the UUID that a text is of, if it is of one."""
    if isinstance(key, tuple):
        return tuple(typed(part) for part in key)
    if isinstance(key, str):
        for kind in (int, UUID):
            with suppress(ValueError):
                if str(kind(key)) == key:
                    return kind(key)
    return key


def digest(*parts: object) -> str:
    """Return a short hash."""
    return blake2b(json.dumps(parts).encode(), digest_size=9).hexdigest()
