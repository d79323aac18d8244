"""What a group may be called."""

import re

GROUP_NAME = re.compile(r"[A-Za-z0-9_.-]{1,99}")


def check_name(group: str) -> None:
    """Raise ValueError for a name that channel layers do not take."""
    if not GROUP_NAME.fullmatch(group):
        raise ValueError(
            "Expected a group's name of up to 99 ASCII letters, digits, hyphens, "
            f"underscores and full stops, got {group!r}."
        )
