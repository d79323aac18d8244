"""What a browser may send."""

import json
from typing import Any

from django.utils.translation import gettext as _


class InvalidFrame(Exception):
    """Raised for a frame that cannot be used; its text is for the sender to read."""


def decode(text: str | None) -> dict[str, Any]:
    """Return the JSON object in a frame. Raises InvalidFrame."""
    if text is None:
        raise InvalidFrame(_("Expected text, got binary data."))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame(_("Expected JSON, got something else.")) from None
    if not isinstance(content, dict):
        raise InvalidFrame(_('Expected a JSON object such as {"message": "…"}.'))
    return content
