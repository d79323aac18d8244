"""One region in one language, as the pages of a process show it."""

from __future__ import annotations

from functools import partial
from typing import Any

from channels_live.base.close_code import CloseCode
from channels_live.delivery.socket import Socket
from channels_live.live.names import Place
from channels_live.live.outbox import EventOutbox, as_event
from channels_live.live.rendering import Answer, State


class Page:
    """A page, by its socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.outbox = EventOutbox(
            socket.outbox.send,
            on_overflow=partial(socket.terminate, CloseCode.TRY_AGAIN_LATER),
        )
        socket.outbox = self.outbox
        self.topics: dict[str, Topic] = {}
        self.groups: set[str] = set()  # that it listens to

    @property
    def user(self) -> Any:
        return self.socket.scope["user"]


class Topic:
    """What a process shows of a region: its state, its pages, and what is to be done."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = place.topic
        self.subject = place.subject
        self.pages: dict[Page, str] = {}  # → the digest of what the page shows
        self.newcomers: set[Page] = set()  # not told yet that they are live
        self.state: State | None = None  # the last one that could be read
        self.is_stale = True
        self.unchecked: set[Page] = set()  # whose right has to be asked for
        self.is_busy = False  # asked for right now
        self.has_failed = False
        self.due = 0.0  # by the loop's clock: not to be read earlier

    def add(self, page: Page, digest: str) -> None:
        # Of several elements of a page, one may show an older state.
        self.pages[page] = digest if self.pages.get(page, digest) == digest else ""
        self.newcomers.add(page)
        self.unchecked.add(page)
        if self.has_failed or self.state is None or self.state.digest != digest:
            self.is_stale = True
        page.topics[self.name] = self

    def discard(self, page: Page) -> None:
        self.pages.pop(page, None)
        self.newcomers.discard(page)
        self.unchecked.discard(page)
        page.topics.pop(self.name, None)

    def apply(self, answer: Answer, asked: set[Page]) -> None:
        """Show what was read to the pages that were asked for, or take it from them.

        Pages that were not asked for are, before they are shown what has changed.
        """
        asked = {page for page in asked if page in self.pages}
        for page in asked:
            if page.user.pk not in answer.allowed:
                self.discard(page)
                page.outbox.put(self.name, as_event(gone=self.name))
        if isinstance(answer.state, Exception):
            self.has_failed = True
            return
        self.has_failed = False
        if answer.state is not None:
            if self.state is not None and self.state.digest != answer.state.digest:
                self.unchecked.update(self.pages.keys() - asked)
            self.state = answer.state
        if self.state is not None:
            self._show(self.state, asked)

    def _show(self, state: State, pages: set[Page]) -> None:
        event = as_event(topic=self.name, html=state.html, digest=state.digest)
        for page in pages & self.pages.keys():
            if self.pages[page] != state.digest:
                self.pages[page] = state.digest
                page.outbox.put(self.name, event)
            elif page in self.newcomers:
                page.outbox.put(self.name, as_event(topic=self.name))
        self.newcomers -= pages
