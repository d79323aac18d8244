"""What pages show of regions when they are loaded."""

import logging
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings

from channels_live.live.names import Key
from channels_live.live.region import Live
from channels_live.live.rendering import State, find_keys, one_by_one, read

logger = logging.getLogger(__name__)

# The digest of no region: the socket sends what it finds.
UNKNOWN = State("", "")
FAILURE = "%s fails: pages are loaded with an empty region, and show it once it works."


def show(region: type[Live], keys: Sequence[Key], user: Any) -> dict[Key, State]:
    """Return what a page shows of each key that the user may see.

    Raises what the region raises with DEBUG and in tests. In production, where one region
    would take down all pages, that is logged, and the socket fills the region later.
    """
    live = region()
    if settings.DEBUG or "channels_live.runner" in sys.modules:
        seen = tuple(find_keys(live, user, keys))
        return read(live, seen) if seen else {}
    rights = one_by_one(partial(find_keys, live, user), keys)
    allowed = [key for key, right in rights.items() if right is True]
    known = {**rights, **one_by_one(partial(read, live), allowed)}
    errors = {repr(one): one for one in known.values() if isinstance(one, Exception)}
    for error in errors.values():
        logger.error(FAILURE, region.name, exc_info=error)
    return {
        key: one if isinstance(one, State) else UNKNOWN for key, one in known.items()
    }
