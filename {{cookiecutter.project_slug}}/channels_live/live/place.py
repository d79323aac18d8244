"""Where pages show a region: its key, and in which language it is rendered."""

from datetime import timedelta
from typing import Any, NamedTuple, Self

from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone, translation

from channels_live.live.names import Key, decode, digest, encode, sign, subject, unsign
from channels_live.live.region import Live, regions


class Outdated(Exception):
    """Raised for a name of a region that is no more: the page is of another release."""


class Place(NamedTuple):
    """A region as pages show it."""

    region: type[Live]
    key: Key
    language: str
    prefix: str  # where the site is mounted
    zone: str | int = ""  # a time zone's name, or its offset in minutes

    @classmethod
    def of_page(cls, region: type[Live], key: Any) -> Self:
        """Return the place of a region on the page that is rendered now.

        Raises ValueError or TypeError for what is no key.
        """
        zone: Any = timezone.get_current_timezone()
        at = getattr(zone, "key", "") or zone.utcoffset(None) // timedelta(minutes=1)
        language, prefix = translation.get_language() or "", get_script_prefix()
        return cls(region, region.clean_key(key), language, prefix, at)

    @property
    def setting(self) -> tuple[str, str, str | int]:
        """Where it is rendered: see enter_place()."""
        return self.language, self.prefix, self.zone

    @property
    def subject(self) -> str:
        return subject(self.region.name, self.key)

    @property
    def topic(self) -> str:
        return digest(self.region.name, encode(self.key), *self.setting)

    def sign(self, owner: str) -> str:
        return sign("live", owner, self.region.name, encode(self.key), *self.setting)

    @classmethod
    def unsign(cls, name: object, owner: str) -> Self:
        """Return the place that was signed. Raises Foreign or Outdated."""
        try:
            label, key, language, prefix, zone = unsign("live", name, owner)
            region = regions[label]
            return cls(region, region.clean_key(decode(key)), language, prefix, zone)
        except (KeyError, TypeError, ValueError):
            raise Outdated from None


def enter_place(language: str, prefix: str, zone: str | int) -> None:
    """Be in the language, the time zone and under the mount point of a page.

    For the rest of a visit to a thread, which has a context of its own.
    """
    set_script_prefix(prefix)
    if language:
        translation.activate(language)
    if isinstance(zone, int):
        timezone.activate(timezone.get_fixed_timezone(zone))
    elif zone:
        timezone.activate(zone)
