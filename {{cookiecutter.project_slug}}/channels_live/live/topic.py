"""One region in one language, as the pages of a process show it."""

from __future__ import annotations

from typing import Any

from channels_live.base.frames import dump
from channels_live.delivery.socket import Socket
from channels_live.live.place import Place
from channels_live.live.rendering import Read, Rights, State


class Page:
    """A page, by its socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.outbox = socket.outbox
        self.topics: dict[str, Topic] = {}

    @property
    def user(self) -> Any:
        return self.socket.scope["user"]


class View:
    """A topic on a page."""

    __slots__ = ("digest", "is_checked", "is_live")

    def __init__(self, digest: str) -> None:
        self.digest = digest  # of what the page shows
        self.is_checked = False  # whether the user may see it
        self.is_live = False  # as the page has been told


class Topic:
    """What a process shows of a region: its state, its pages, and what is to be done."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = place.topic
        self.views: dict[Page, View] = {}
        self.event = ""  # the last state that could be read, as pages get it
        self.digest = ""
        self.is_stale = True
        self.has_failed = False
        self.is_busy = False  # asked for right now, or a moment ago
        self.asked: dict[Page, View] = {}  # whose rights are asked for with that

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to ask for."""
        views = self.views.values()
        return any(self.is_stale or not view.is_checked for view in views)

    def add(self, page: Page, digest: str) -> None:
        self.is_stale |= self.digest != digest
        # Of several elements of a page, one may show an older state.
        shown = self.views.get(page)
        self.views[page] = View(
            digest if shown is None or shown.digest == digest else ""
        )
        page.topics[self.name] = self

    def discard(self, page: Page) -> None:
        self.views.pop(page, None)
        page.topics.pop(self.name, None)

    def changed(self) -> None:
        """Have it read anew, and the rights to see it."""
        self.is_stale = True
        for view in self.views.values():
            view.is_checked = False

    def begin(self) -> bool:
        """Begin to ask for what is wanted. Returns whether it is to be read."""
        is_read, self.is_stale = self.is_stale or self.has_failed, False
        views = self.views.items()
        self.asked = {page: view for page, view in views if not view.is_checked}
        for view in self.asked.values():
            view.is_checked = True
        return is_read

    def answer(self, state: Read | None, rights: Rights) -> list[Exception]:
        """Show pages what was read, or take from them what they may not see.

        Those that were not asked for are, before they are shown what has changed.
        Returns what has failed, unless something did before.
        """
        if isinstance(state, State):
            if self.digest != state.digest:
                for page, view in self.views.items():
                    view.is_checked &= page in self.asked
            self.digest = state.digest
            self.event = dump(
                {"topic": self.name, "html": state.html, "digest": state.digest}
            )
        for page, view in self.asked.items():
            right = rights.get(page.user.pk)
            if self.views.get(page) is not view:
                continue  # it has gone, or asks anew
            if right is not True:
                page.outbox.write(dump({"gone": self.name}), self.name)
                view.digest, view.is_live = "", False
                if right is None:  # else it will be asked again
                    self.discard(page)
            elif not isinstance(state, Exception):
                self._show(page, view)
        errors = [
            one for one in (state, *rights.values()) if isinstance(one, Exception)
        ]
        had_failed, self.has_failed = self.has_failed, bool(errors)
        return [] if had_failed else errors

    def _show(self, page: Page, view: View) -> None:
        if view.digest != self.digest:
            page.outbox.write(self.event, self.name)
        elif not view.is_live:
            page.outbox.write(dump({"topic": self.name}), self.name)
        view.digest, view.is_live = self.digest, True
