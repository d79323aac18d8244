"""What processes tell each other through the channel layer, and about whom."""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Field, Model

# One type for all. Channels' own consumers ignore it: see apps.py.
TYPE = "channels_live"
GROUP_NAME = re.compile(r"[A-Za-z0-9_.-]{1,99}")
# What a row begins with that is a message for all processes.
FOR_ALL = "!"
NO_LETTER = re.compile(rb"[^A-Za-z0-9-]")


class Kind(StrEnum):
    FRAGMENTS = "fragments"  # HTML for the sockets of a group
    EVENTS = "events"  # JSON for them
    HISTORY_CHANGED = "history_changed"  # so what is remembered of a group is wrong
    PRESENCE_CHANGED = "presence_changed"  # somebody came to a group, or went
    CHANGED = "changed"  # what regions show, so it has to be read anew
    DISCONNECT = "disconnect"  # sockets with all of the labels have to go
    RECHECK = "recheck"  # the logins of sockets with the labels may have ended
    ECHO = "echo"  # nothing: whether it can be sent, and arrives, is what counts


class Message(NamedTuple):
    kind: Kind
    group: str = ""
    # HTML or JSON and its number, or a subject that has changed and its row in the database
    pairs: list[tuple[str, int]] = []
    published: float = 0.0  # by the clock
    labels: list[str] = []
    code: int = 0
    sender: str = ""  # the process that has acted on it already, if one has

    def encode(self) -> dict[str, Any]:
        """Return the message as channel layers take it."""
        return {"type": TYPE, **self._asdict()}

    def goes_with(self, other: "Message") -> bool:
        """Whether both may go as one: they differ in their pairs alone."""
        return bool(self.pairs) and self[:2] == other[:2]

    def joined(self, others: Sequence["Message"]) -> "Message":
        """Return those that go with it as one message, published when it was."""
        return self._replace(pairs=[pair for one in others for pair in one.pairs])

    def as_subject(self) -> str:
        """Return the message as rows take it, in the place of what has changed."""
        return FOR_ALL + json.dumps(self.encode())

    @classmethod
    def decode(cls, received: dict[str, Any]) -> "Message":
        """Return a message that came.

        Raises KeyError, TypeError or ValueError for what this version does not send.
        """
        for name, default in cls._field_defaults.items():
            if type(received[name]) is not type(default):
                raise TypeError(f"{name}: {received[name]!r:.80}")
        for text, number in received["pairs"]:
            if not isinstance(text, str) or not isinstance(number, int):
                raise TypeError(f"pairs: {text!r:.80}, {number!r:.80}")
        kind = Kind(received["kind"])
        if kind in (Kind.DISCONNECT, Kind.RECHECK) and not received["labels"]:
            raise ValueError("no labels: who is meant?")
        return cls(kind, *(received[name] for name in cls._fields[1:]))


def check_name(group: str) -> None:
    """Raise ValueError for a name that channel layers do not take."""
    if not isinstance(group, str) or not GROUP_NAME.fullmatch(group):
        raise ValueError(
            "Expected a group name of up to 99 ASCII letters, digits, hyphens, "
            f"underscores and full stops, got {group!r}."
        )


def group_name(kind: str, key: object) -> str:
    """Return a group name made of a kind and a key of any type: `kind.key`.

    Characters of the key other than ASCII letters, digits and hyphens are encoded, such
    as `_20`. Names may have up to 99 characters. Raises ValueError for None, which all
    visitors without a login would share, and for a row.
    """
    if key is None or isinstance(key, Model):
        raise ValueError(f"Expected a key, such as the pk of a row, got {key!r}.")
    text = NO_LETTER.sub(lambda found: b"_%02x" % ord(found[0]), str(key).encode())
    return f"{kind}.{text.decode()}"


def key_of(group: str) -> str:
    """Return the key in a name that group_name() returned, as text."""
    return unquote(group.rpartition(".")[2].replace("_", "%"))


def user_group(user_pk: object) -> str:
    """Return the name of the group of one person's sockets. Raises ValueError."""
    text = user_key(user_pk)
    name = group_name("user", text)
    if len(name) > 99:
        name = group_name("user", sha256(text.encode()).hexdigest())
    return name


def user_key(user_pk: object) -> str:
    """Return a user's primary key as sessions have it. Raises ValueError."""
    model = get_user_model()
    key = to_key(model._meta.pk, user_pk)
    if key is None:
        raise ValueError(f"Expected the primary key of a user, got {user_pk!r}.")
    return str(model._meta.pk.value_to_string(model(pk=key)))


def to_key(field: Field, value: object) -> Any:
    """Return a value as a field has it, or None if it is of another type.

    Fields take a number for a UUID, and the other way round; those of texts take all.
    """
    if isinstance(value, (Model, tuple)):
        return None
    try:
        key = field.to_python(value)
    except (TypeError, ValidationError):
        return None
    return None if {type(value), type(key)} == {int, UUID} else key


def label(kind: str, value: object) -> str:
    """Return what sockets are labelled with, and told by. Session keys are secrets.

    Raises TypeError for what is no session key, such as a session.
    """
    if kind == "session":
        if not isinstance(value, str):
            raise TypeError(f"Expected a session key as str, got {value!r}.")
        value = sha256(value.encode()).hexdigest()
    return f"{kind}:{value}"
