"""Regions: the parts of pages that show the present state of something."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Field, Model

from channels_live.live import changes, follows
from channels_live.live.keys import as_json, subject

# The longest key, in characters of JSON: names of regions have to fit into frames.
MAX_KEY = 1600
# Every region of the project, by "app_label.ClassName".
regions: dict[str, type["Live"]] = {}


class Live:
    """A part of a page that is kept as the database has it.

    Stands in an app's live.py; the tag live puts "app_label.ClassName" into a page.
    """

    # Rendered with what get_context() returns; there is no request.
    template_name: ClassVar[str]
    # Model → the field that holds the key: rows that are saved or deleted change it.
    # None in the place of a field: they change all keys.
    follows: ClassVar[Mapping[type[Model], str | None]] = {}

    name: ClassVar[str]
    fields: ClassVar[Mapping[type[Model], Field | None]]

    def __init_subclass__(cls) -> None:
        for name in ("allows", "allowed", "get_context", "get_contexts"):
            if iscoroutinefunction(getattr(cls, name)):
                raise TypeError(f"{cls.__name__}.{name} has to be a plain function.")
        cls.fields = {
            model: find_field(cls, model, name) for model, name in cls.follows.items()
        }
        app = apps.get_containing_app_config(cls.__module__)
        label = app.label if app else cls.__module__.partition(".")[0]
        cls.name = f"{label}.{cls.__name__}"
        if other := regions.get(cls.name):
            raise TypeError(
                f"There are two regions {cls.name}, in {other.__module__} and "
                f"{cls.__module__}: give one of them another name."
            )
        regions[cls.name] = cls
        if apps.models_ready:
            cls.connect()

    def allows(self, user: Any, key: Any) -> bool:
        """Return whether a user may see it. Asked for each page and each change."""
        return False

    def allowed(self, key: Any, users: Collection[Any]) -> Iterable[Any]:
        """Return those of the users who may see it: allows(), for many at once."""
        return [user for user in users if self.allows(user, key)]

    def get_context(self, key: Any) -> Mapping[str, Any]:
        """Return what the template shows.

        ObjectDoesNotExist empties the region.
        """
        return {}

    def get_contexts(self, keys: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """Return the context of each key: get_context(), for many at once.

        Regions whose keys are left out are emptied.
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
        """Have pages show the present state of these keys, once the transaction commits.

        Call it within the transaction that changes them, on its database.
        """
        subjects = [subject(cls.name, cls.clean_key(key)) for key in keys]
        changes.record(subjects, using)

    @classmethod
    def changed_all(cls, using: str | None = None) -> None:
        """Do what changed() does, for every key: after an import, say."""
        changes.record([subject(cls.name)], using)

    @classmethod
    def connect(cls) -> None:
        """Follow the models, which are loaded by now."""
        changes.followed.update(cls.fields)
        for model, field in cls.fields.items():
            changed = cls.changed_all if field is None else cls.changed
            follows.connect(cls.name, model, field, changed)

    @classmethod
    def clean_key(cls, key: Any) -> Any:
        """Return a key as the followed field has it. Raises ValueError or TypeError."""
        if key is None:
            raise ValueError(f"{cls.name} has no key None.")
        field = next(filter(None, cls.fields.values()), None)
        if field is not None:
            try:
                key = field.to_python(key)
            except ValidationError:
                raise ValueError(f"{cls.name} has no key {key!r}.") from None
        if len(as_json(key)) > MAX_KEY:
            raise ValueError(
                f"{cls.name} has no key of {len(as_json(key)):,} characters: as JSON, a "
                f"key may have {MAX_KEY:,}. Take the primary key of what is shown."
            )
        return key


def find_field(
    region: type[Live], model: type[Model], name: str | None
) -> Field | None:
    """Return the field that a region follows. Raises TypeError and FieldDoesNotExist."""
    where = f"{region.__name__}.follows"
    if model._meta.auto_created:
        raise TypeError(
            f"{where}: {model._meta.label} is made by Django for a many-to-many field, "
            "and saved without signals: give the field a model of its own, through=…."
        )
    if name is None:
        return None
    found = model._meta.pk if name == "pk" else model._meta.get_field(name)
    if not isinstance(found, Field) or not found.concrete:
        names = ", ".join(field.attname for field in model._meta.concrete_fields)
        raise TypeError(
            f"{where}: {model._meta.label}.{name} is in no column: follow one of {names}."
        )
    return found
