"""Marks regions as changed when rows of the models that they follow are."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db.models import Field, Model
from django.db.models.signals import (
    post_delete,
    post_init,
    post_save,
    pre_delete,
    pre_save,
)


def connect(
    region: str, model: type[Model], field: Field, changed: Callable[..., None]
) -> None:
    """Call `changed` with the keys of rows of a model, and of those made of it."""
    uid = (region, field.attname)
    mark = partial(mark_changed, changed, field)
    for sender in with_subclasses(model):
        for signal in (post_save, post_delete):
            connect_first(signal, mark, sender, uid)
        look = partial(look_before, field)
        for signal in (pre_save, pre_delete):
            signal.connect(look, sender, weak=False, dispatch_uid=field.attname)
        note = partial(note_key, field)
        post_init.connect(note, sender, weak=False, dispatch_uid=field.attname)


def connect_all(
    region: str, model: type[Model], changed_all: Callable[..., None]
) -> None:
    """Call `changed_all` for rows of a model, and of those made of it."""

    def mark(using: str, **kwargs: object) -> None:
        changed_all(using=using)

    for sender in with_subclasses(model):
        for signal in (post_save, post_delete):
            connect_first(signal, mark, sender, region)


def connect_first(
    signal: Any, receiver: Callable[..., None], sender: type[Model], uid: object
) -> None:
    """Connect a receiver before others, of which one may raise: the row is saved."""
    signal.connect(receiver, sender, weak=False, dispatch_uid=uid)
    with signal.lock:
        signal.receivers.sort(key=lambda one: one[0][0] != uid)
        signal.sender_receivers_cache.clear()


def with_subclasses(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for subclass in model.__subclasses__():
        yield from with_subclasses(subclass)


def keys_of(instance: Model) -> dict[str, set[Any]]:
    """Return the keys that a row has had, by field, as far as they are known."""
    kept: dict[str, set[Any]] = instance._state.__dict__.setdefault("live_keys", {})
    return kept


def note_key(field: Field, instance: Model, **kwargs: object) -> None:
    key = instance.__dict__.get(field.attname)  # none if it is deferred
    if not hasattr(key, "resolve_expression"):
        keys_of(instance)[field.attname] = {key}


def look_before(field: Field, instance: Model, using: str, **kwargs: object) -> None:
    """Ask the database for the key that a row has had, which may be another by now."""
    if instance.pk is not None:
        rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
        stored = rows.values_list(field.attname, flat=True)
        keys_of(instance).setdefault(field.attname, set()).update(stored)


def mark_changed(
    changed: Callable[..., None],
    field: Field,
    instance: Model,
    using: str,
    **kwargs: object,
) -> None:
    present = {instance.__dict__.get(field.attname)}
    keys = present | keys_of(instance).get(field.attname, set())
    changed(*(key for key in keys if key is not None), using=using)
