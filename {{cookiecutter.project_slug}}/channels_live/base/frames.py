"""What frames of JSON may be, in both directions."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from django.utils.translation import gettext as _

# Objects and arrays within each other.
MAX_DEPTH = 32


class InvalidFrame(Exception):
    """Raised for a frame that cannot be used; its text is for the sender to read."""


def decode(text: str | None, *, halves: bool = False) -> dict[str, Any]:
    """Return the JSON object in a frame. Raises InvalidFrame.

    What is in it can be stored and sent again: no NaN, and no halves of characters,
    unless these are for the consumer to answer.
    """
    if text is None:
        raise InvalidFrame(_("Expected text, got binary data."))
    try:
        content = json.loads(text, object_pairs_hook=unique, parse_constant=float)
        check(content, MAX_DEPTH, halves=halves)
    except (ValueError, RecursionError):
        raise InvalidFrame(_("Expected JSON, got something else.")) from None
    if not isinstance(content, dict):
        raise InvalidFrame(_('Expected a JSON object such as {"message": "…"}.'))
    return content


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise InvalidFrame(_("Expected each key of a JSON object once."))
    return content


def check(content: object, depth: int, *, halves: bool) -> None:
    """Raise ValueError, or InvalidFrame where values are nested too deep."""
    if isinstance(content, str):
        content.encode(errors="surrogatepass" if halves else "strict")
    elif isinstance(content, float) and not isfinite(content):
        raise ValueError
    elif isinstance(content, dict | list):
        if not depth:
            raise InvalidFrame(_("Expected JSON that is not nested as deep."))
        for one in content:
            check(one, depth - 1, halves=halves)
        if isinstance(content, dict):
            check(list(content.values()), depth, halves=halves)


def encode(event: Mapping[str, object]) -> str:
    """Return the frame of one event, an array. Raises TypeError or ValueError."""
    if not isinstance(event, Mapping):
        raise TypeError(
            f"Expected an event as a dictionary, got {type(event).__name__}: "
            f"{event!r:.80}."
        )
    try:
        text = json.dumps(
            [dict(event)], ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"An event has to be JSON, and is not: {error}. Call str() on a date, a "
            "Decimal, a UUID or a lazy string."
        ) from error
    return text
