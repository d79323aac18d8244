"""Live regions: parts of pages that show the current state of the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import connections
from django.db.models import Field, Model
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from channels_live.base.messages import to_key
from channels_live.live import changes
from channels_live.live.names import encode, subject

# Every region of the project, by "app_label.ClassName".
regions: dict[str, type["Live"]] = {}

METHODS = ("allows", "allowed", "allowed_keys", "get_context", "get_contexts")


class Live:
    """A part of a page that always shows the current state of the database.

    Define it in an app's live.py, and put it into a page with the tag `live` and the
    name "app_label.ClassName".
    """

    # Rendered with the context that get_context() returns, and no request.
    template_name: ClassVar[str]
    # Model → the field that holds the key. Saving or deleting a row updates the region
    # with its key; with None instead of a field, the region with every key.
    follows: ClassVar[Mapping[type[Model], str | None]] = {}

    name: ClassVar[str]
    fields: ClassVar[Mapping[type[Model], Field | None]]

    def __init_subclass__(cls) -> None:
        for name in METHODS:
            if iscoroutinefunction(getattr(cls, name)):
                raise TypeError(f"{cls.__name__}.{name} must be a sync function.")
        if not isinstance(cls.follows, Mapping):
            raise TypeError(
                f"{cls.__name__}.follows: expected a dictionary, got {cls.follows!r}."
            )
        cls.fields = {
            model: find_field(cls, model, name) for model, name in cls.follows.items()
        }
        app = apps.get_containing_app_config(cls.__module__)
        label = app.label if app else cls.__module__.partition(".")[0]
        cls.name = f"{label}.{cls.__name__}"
        if other := regions.get(cls.name):
            raise TypeError(
                f"There are two regions {cls.name}, in {other.__module__} and "
                f"{cls.__module__}: rename one of them."
            )
        regions[cls.name] = cls
        if apps.models_ready:
            cls.connect()

    def allows(self, user: Any, key: Any) -> bool:
        """Return whether the user may see it. Called for each page and each change."""
        return False

    def allowed(self, key: Any, users: Collection[Any]) -> Iterable[Any]:
        """Return the users who may see it: allows(), for many users at once."""
        return [user for user in users if self.allows(user, key)]

    def allowed_keys(self, user: Any, keys: Sequence[Any]) -> Iterable[Any]:
        """Return the keys that a user may see: allows(), for many keys at once."""
        return [key for key in keys if user in self.allowed(key, [user])]

    def get_context(self, key: Any) -> Mapping[str, Any]:
        """Return the context of the template.

        Raise ObjectDoesNotExist to empty the region.
        """
        return {}

    def get_contexts(self, keys: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """Return the context of each key: get_context(), for many keys at once.

        Regions whose keys are missing are emptied.
        """
        contexts = {}
        for key in keys:
            try:
                contexts[key] = self.get_context(key)
            except ObjectDoesNotExist:
                continue
        return contexts

    @classmethod
    def changed(cls, *keys: Any, using: str | None = None) -> None:
        """Update the region with these keys on all pages, when the transaction commits.

        Call it within the transaction that changes the data; `using` is its database.
        """
        subjects = [subject(cls.name, cls.clean_key(key)) for key in keys]
        changes.record(subjects, using)

    @classmethod
    def changed_all(cls, using: str | None = None) -> None:
        """Do what changed() does, for every key, for instance after an import."""
        changes.record([subject(cls.name)], using)

    @classmethod
    def connect(cls) -> None:
        """Follow the models, which are loaded by now."""
        changes.followed.update(cls.fields)
        for model, field in cls.fields.items():
            mark = partial(mark_changed, cls, field)
            for sender in changes.with_subclasses(model):
                for signal in (post_save, post_delete):
                    signal.connect(mark, sender, weak=False, dispatch_uid=cls.name)
                if field is not None:
                    look, uid = partial(look_before, field), field.attname
                    for signal in (pre_save, pre_delete):
                        signal.connect(look, sender, weak=False, dispatch_uid=uid)

    @classmethod
    def clean_key(cls, key: Any) -> Any:
        """Convert a key to the type of the followed field.

        Raises ValueError or TypeError.
        """
        if key is None:
            raise ValueError(f"Invalid key for {cls.name}: None.")
        if isinstance(key, Model):
            raise ValueError(f"Invalid key for {cls.name}: {key!r}. Pass its pk.")
        encode(key)
        field = next(filter(None, cls.fields.values()), None)
        if field is None:
            return key
        if (cleaned := to_key(field, key)) is None:
            raise ValueError(
                f"Invalid key for {cls.name}: {key!r}. Expected a value of {field}."
            )
        return cleaned


def find_field(
    region: type[Live], model: type[Model], name: str | None
) -> Field | None:
    """Return the field that a region follows. Raises TypeError."""
    where = f"{region.__name__}.follows"
    if not isinstance(model, type) or not issubclass(model, Model):
        raise TypeError(f"{where}: {model!r} is no model class. Import the model.")
    if model._meta.auto_created:
        raise TypeError(
            f"{where}: Django creates {model._meta.label} for a many-to-many field and "
            "saves it without signals. Define a model for the field, with through=…."
        )
    if name is None:
        return None
    found: Any = None
    with suppress(FieldDoesNotExist):
        found = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if not isinstance(found, Field) or not found.concrete:
        names = ", ".join(field.attname for field in model._meta.concrete_fields)
        raise TypeError(
            f"{where}: {model._meta.label}.{name} has no column. Follow one of {names}; "
            "for a key that is further away, follow nothing and call changed()."
        )
    return found


def look_before(field: Field, instance: Model, using: str, **kwargs: object) -> None:
    """Read the key that a row has in the database, which the save may change."""
    keys: set[Any] = set()
    instance.__dict__.setdefault("_live_keys", {})[field.attname] = keys
    if instance._is_pk_set():  # type: ignore[attr-defined]
        rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
        if connections[using].in_atomic_block:
            rows = rows.select_for_update(no_key=True)  # or it moves meanwhile
        keys.update(rows.values_list(field.attname, flat=True))


def mark_changed(
    region: type[Live],
    field: Field | None,
    instance: Model,
    using: str,
    **kwargs: object,
) -> None:
    if field is None:
        region.changed_all(using)
        return
    had = instance.__dict__.get("_live_keys", {}).get(field.attname, set())
    # A row may be saved with another type, such as a number's text.
    keys = had | {field.to_python(instance.__dict__.get(field.attname))}
    region.changed(*(key for key in keys if key is not None), using=using)
