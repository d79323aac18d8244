"""What a group may be called, and what a socket goes by."""

import re

GROUP_NAME = re.compile(r"[A-Za-z0-9_.-]{1,99}")


def check_name(group: str) -> None:
    """Raise ValueError for a name that channel layers do not take."""
    if not isinstance(group, str) or not GROUP_NAME.fullmatch(group):
        raise ValueError(
            "Expected a group's name of up to 99 ASCII letters, digits, hyphens, "
            f"underscores and full stops, got {group!r}."
        )


def user_group(user_pk: object) -> str:
    """Return the name of the group of one person's sockets."""
    return f"user.{user_pk}"


def label(kind: str, value: object) -> str:
    """Return a label of a socket, which may have several."""
    return f"{kind}:{value}"
