"""Marks regions as changed when rows of the models that they follow are."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db import connections
from django.db.models import Field, Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save


def connect(
    region: str, model: type[Model], field: Field | None, changed: Callable[..., None]
) -> None:
    """Call `changed` for rows of a model, and of those made of it.

    With a field, it is given the keys that they have and had.
    """
    mark = partial(mark_changed, changed, field)
    for sender in with_subclasses(model):
        for signal in (post_save, post_delete):
            signal.connect(mark, sender, weak=False, dispatch_uid=region)
        if field is not None:
            look, uid = partial(look_before, field), field.attname
            for signal in (pre_save, pre_delete):
                signal.connect(look, sender, weak=False, dispatch_uid=uid)


def with_subclasses(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for subclass in model.__subclasses__():
        yield from with_subclasses(subclass)


def look_before(field: Field, instance: Model, using: str, **kwargs: object) -> None:
    """Ask the database for the key that a row has had, which may be another by now."""
    keys: set[Any] = set()
    instance.__dict__.setdefault("_live_keys", {})[field.attname] = keys
    if instance._is_pk_set():  # type: ignore[attr-defined]
        rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
        if connections[using].in_atomic_block:
            rows = rows.select_for_update(no_key=True)  # or it moves meanwhile
        keys.update(rows.values_list(field.attname, flat=True))


def mark_changed(
    changed: Callable[..., None],
    field: Field | None,
    instance: Model,
    using: str,
    **kwargs: object,
) -> None:
    if field is None:
        changed(using=using)
        return
    had = instance.__dict__.get("_live_keys", {}).get(field.attname, set())
    keys = had | {instance.__dict__.get(field.attname)}
    changed(*(key for key in keys if key is not None), using=using)
