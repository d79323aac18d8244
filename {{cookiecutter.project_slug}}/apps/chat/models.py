from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.models.deletion import Collector
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_live import group_name

MAX_MESSAGE = 2000


class RoomQuerySet(models.QuerySet["Room"]):
    def visible_to(self, user: AbstractBaseUser) -> Self:
        return self.filter(Q(is_private=False) | Q(members=user.pk)).distinct()

    def with_slug(self, slug: str) -> Self:
        """Filter by a slug from a URL. PostgreSQL refuses queries for a NUL."""
        return self.none() if "\0" in slug else self.filter(slug=slug)


class Room(models.Model):
    """A place to talk. Its messages, and changes of them, are numbered 1, 2, 3, …"""

    name = models.CharField(_("name"), max_length=60)
    slug = models.SlugField(_("slug"), max_length=100, unique=True, allow_unicode=True)
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="created_rooms",
        verbose_name=_("creator"),
    )
    is_private = models.BooleanField(_("is private"), default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="private_rooms",
        verbose_name=_("members"),
    )
    last_number = models.PositiveBigIntegerField(
        _("last number"), default=0, editable=False
    )
    created = models.DateTimeField(_("created"), auto_now_add=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        """Save a stored room without its last_number, which posts count up meanwhile."""
        is_stored = not self._state.adding and self.pk is not None
        if is_stored and kwargs.get("update_fields") is None:
            kept = {self._meta.pk.attname, "last_number"} | self.get_deferred_fields()
            fields = {field.attname for field in self._meta.concrete_fields}
            kwargs["update_fields"] = fields - kept
        super().save(**kwargs)

    def get_absolute_url(self) -> str:
        return reverse("chat:room", args=[self.slug])

    def admits(self, user: AbstractBaseUser) -> bool:
        """Whether a user who is logged in may see the room and post into it."""
        return not self.is_private or self.members.filter(pk=user.pk).exists()

    @property
    def group(self) -> str:
        """The name of the group that the sockets of the room join."""
        return group_name("chat.room", self.pk)


def delete_at_once(
    collector: Collector, field: object, entries: QuerySet[models.Model], using: str
) -> None:
    """Delete what is in a room with one query: Django would load it all."""
    collector.fast_deletes.append(entries)


delete_at_once.lazy_sub_objs = True  # type: ignore[attr-defined]

# Of users who are members of thousands of rooms, the admin would list them all.
_membership: Any = Room.members.through._meta.get_field("user")
_membership.remote_field.on_delete = delete_at_once


class Message(models.Model):
    # On PostgreSQL, messages are inserted by insert.py: a new field needs a db_default.
    room = models.ForeignKey(
        Room,
        on_delete=delete_at_once,
        related_name="messages",
        verbose_name=_("room"),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="messages",
        verbose_name=_("author"),
    )
    # Numbers are in the order of commits, unlike primary keys: see insert.py.
    # Pages catch up on what comes after the last number that they show.
    number = models.PositiveBigIntegerField(_("number"))
    # Chosen by the sender, so that a message that is sent twice is stored once.
    client_id = models.UUIDField(_("client id"))
    text = models.TextField(_("text"), max_length=MAX_MESSAGE)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["number"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint("room", "number", name="unique_number"),
            models.UniqueConstraint(
                "room", "author", "client_id", name="unique_client_id"
            ),
        ]

    # So that a crash cannot separate a message from its Change: see signals.py.
    save = transaction.atomic(models.Model.save)

    def __str__(self) -> str:
        return f"{self.author or _('Deleted user')}: {self.text}"


class Change(models.Model):
    """A message was edited or, if it no longer exists, deleted.

    The change has the next number of the room, so that it reaches pages as messages do.
    """

    room = models.ForeignKey(Room, on_delete=delete_at_once, related_name="changes")
    number = models.PositiveBigIntegerField()
    message_number = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("room", "number", name="unique_number_of_change")
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.message_number}"
