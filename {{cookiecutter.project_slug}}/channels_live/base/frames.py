"""JSON frames in both directions: their format and limits."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _


class InvalidFrame(Exception):
    """Raised for an invalid frame, with a text that explains it to the sender."""


def decode(text: str | None) -> dict[str, Any]:
    """Return the JSON object in a frame. Raises InvalidFrame.

    Its content can be stored and sent again: it has no NaN and no lone surrogates.
    """
    if text is None:
        raise InvalidFrame(_("Expected text, got binary data."))
    try:
        content: object = json.loads(text)
        if not isinstance(content, dict):
            raise InvalidFrame(_('Expected a JSON object such as {"message": "…"}.'))
        dump(content).encode()
    except (ValueError, RecursionError):
        raise InvalidFrame(_("Expected JSON, got something else.")) from None
    return content


def dump(event: Mapping[str, object]) -> str:
    """Return the frame of one event, which must be JSON."""
    return json.dumps(
        [dict(event)], ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def encode(event: Mapping[str, object]) -> str:
    """Return the frame of one event, an array. Raises TypeError or ValueError."""
    if not isinstance(event, Mapping):
        raise TypeError(
            f"Expected an event as a dictionary, got {type(event).__name__}: "
            f"{event!r:.80}."
        )
    try:
        text = dump(event)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"Expected an event that is JSON: {error}. Call str() on a date, a Decimal, a "
            "UUID or a lazy string."
        ) from error
    return text


@lru_cache(maxsize=1)
def frame_bytes(text: str) -> bytes:
    """Return a text frame as it goes over the wire: the same for all sockets of a group."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2) + data
    return b"\x81\x7f" + size.to_bytes(8) + data
