"""Names of regions: what a page may ask its socket for, signed for whoever got the page."""

from typing import Any, NamedTuple, Self

from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.utils.crypto import salted_hmac

from channels_live.live.keys import Key, decode, digest, encode, subject
from channels_live.live.region import Live, regions


class Foreign(Exception):
    """Raised for a name that was not made here, or not for this visitor."""


class Outdated(Exception):
    """Raised for a name of a region that is no more: the page is of another release."""


def owner(user: Any, session: SessionBase | None) -> str:
    """Return whom a name is bound to: a user, or else a session, if there is one."""
    if user is not None and user.is_authenticated:
        return f"user {user.pk}"
    if session is None or not session.session_key:
        return ""
    return salted_hmac(
        "channels_live.live", session.session_key, algorithm="sha256"
    ).hexdigest()[:20]


def sign(tag: str, owner: str, *content: Any) -> str:
    """Return a name for what a tag, `live` or `listen`, has put into a page."""
    return signing.Signer(salt=f"channels_live.{tag}").sign_object([owner, *content])


def unsign(tag: str, name: object, owner: str) -> list[Any]:
    """Return what was signed for this owner, or for nobody. Raises Foreign."""
    try:
        signer = signing.Signer(salt=f"channels_live.{tag}")
        signed: list[Any] = signer.unsign_object(str(name))
    except (signing.BadSignature, ValueError) as error:
        raise Foreign from error
    bound_to, *content = signed
    is_anonymous = not owner.startswith("user ")
    if bound_to != owner and not (is_anonymous and bound_to == ""):
        raise Foreign
    return content


class Place(NamedTuple):
    """A region as pages show it."""

    region: type[Live]
    key: Key
    language: str
    prefix: str  # where the site is mounted
    zone: str | int = ""  # a time zone's name, or its offset in minutes

    @property
    def setting(self) -> tuple[str, str, str | int]:
        """Where a region is rendered: see rendering.in_place()."""
        return self.language, self.prefix, self.zone

    @property
    def subject(self) -> str:
        return subject(self.region.name, self.key)

    @property
    def topic(self) -> str:
        """What pages know it by."""
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
