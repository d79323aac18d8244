"""Marks regions as changed when rows of the models that they follow are."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db.models import Field, Model
from django.db.models.signals import post_delete, post_init, post_save, pre_save


def connect(
    region: str, model: type[Model], field: Field, changed: Callable[..., None]
) -> None:
    """Call `changed` with the keys of rows of a model, and of those made of it."""
    uid = (region, field.attname)
    mark = partial(mark_changed, changed, field)
    for sender in with_subclasses(model):
        for signal in (post_save, post_delete):
            signal.connect(mark, sender, weak=False, dispatch_uid=uid)
        look = partial(look_before, field)
        pre_save.connect(look, sender, weak=False, dispatch_uid=field.attname)
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
            signal.connect(mark, sender, weak=False, dispatch_uid=region)


def with_subclasses(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for subclass in model.__subclasses__():
        yield from with_subclasses(subclass)


def keys_of(instance: Model) -> dict[str, set[Any]]:
    """Return the keys that a row has had, by field, as far as they are known."""
    kept: dict[str, set[Any]] = instance._state.__dict__.setdefault("live_keys", {})
    return kept


def note_key(field: Field, instance: Model, **kwargs: object) -> None:
    if field.attname in instance.__dict__:  # not deferred
        keys_of(instance)[field.attname] = {instance.__dict__[field.attname]}


def look_before(field: Field, instance: Model, using: str, **kwargs: object) -> None:
    """Ask the database for the key of a row that may be about to move."""
    if instance._state.adding or field.attname not in instance.__dict__:
        return
    known = keys_of(instance).get(field.attname, set())
    if known != {instance.__dict__[field.attname]}:
        rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
        keys_of(instance)[field.attname] = {
            *known,
            *rows.values_list(field.attname, flat=True),
        }


def mark_changed(
    changed: Callable[..., None],
    field: Field,
    instance: Model,
    using: str,
    **kwargs: object,
) -> None:
    keys = {getattr(instance, field.attname), *keys_of(instance).get(field.attname, ())}
    changed(*(key for key in keys if key is not None), using=using)
