"""Keys of regions, and names: what a page may ask its socket for, signed for its visitor."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.core import signing

type Key = int | str | UUID | Decimal | date | datetime | tuple["Key", ...]

# What JSON has no type for, and how it is made of its text.
TYPES: Mapping[str, Callable[[str], Any]] = {
    "UUID": UUID,
    "Decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


class Foreign(Exception):
    """Raised for a name that was not made here, or not for this visitor."""


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
    if isinstance(value, list):
        return tuple(decode(part) for part in value)
    if isinstance(value, dict):
        ((name, text),) = value.items()
        return TYPES[name](text)
    return value


def subject(region: str, key: Any = None) -> str:
    """Return what a notice is about: a key of a region, or without a key all of them.

    A number or a UUID and the text of it are one, as are equal decimals and moments.
    """
    text = "" if key is None else json.dumps(encode(typed(key)), separators=(",", ":"))
    return f"{region} {text}"


def typed(key: Any) -> Any:
    """Return the number or the UUID that a text is of, and one of what is equal."""
    if isinstance(key, tuple):
        return tuple(typed(part) for part in key)
    if isinstance(key, Decimal):
        return key.normalize() + 0  # no zero is negative
    if isinstance(key, datetime) and key.tzinfo:
        return key.astimezone(UTC)
    if isinstance(key, str):
        for kind in (int, UUID):
            with suppress(ValueError):
                if str(kind(key)) == key:
                    return kind(key)
    return key


def digest(*parts: object) -> str:
    return blake2b(json.dumps(parts).encode(), digest_size=9).hexdigest()


def owner(user: Any, session: SessionBase | None) -> str:
    """Return whom a name is bound to: a user, or else a session, if there is one."""
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    if session is None or not session.session_key:
        return ""
    return digest("session", session.session_key)  # whose key is a secret


def sign(tag: str, owner: str, *content: Any) -> str:
    """Return a name for what a tag, `live` or `listen`, has put into a page."""
    return signing.Signer(salt=f"channels_live.{tag}").sign_object([owner, *content])


def unsign(tag: str, name: object, owner: str) -> list[Any]:
    """Return what was signed for this owner, or for nobody. Raises Foreign."""
    try:
        signer = signing.Signer(salt=f"channels_live.{tag}")
        signed: list[Any] = signer.unsign_object(str(name))
    except (signing.BadSignature, ValueError) as error:
        raise Foreign from error
    bound_to, *content = signed
    if bound_to != owner and (bound_to or owner.startswith("user ")):
        raise Foreign
    return content
