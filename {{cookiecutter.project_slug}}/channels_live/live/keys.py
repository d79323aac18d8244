"""What a region's key may be, and how keys travel: in names, notices and rows."""

import json
from collections.abc import Callable, Mapping
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
    """Return what a notice is about: a key of a region, or without a key all of them."""
    text = "" if key is None else json.dumps(encode(key), separators=(",", ":"))
    return f"{region} {text}"


def digest(*parts: object) -> str:
    """Return a short hash."""
    return blake2b(json.dumps(parts).encode(), digest_size=9).hexdigest()
