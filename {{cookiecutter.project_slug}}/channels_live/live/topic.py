"""One key of a region as the pages of a process show it."""

from dataclasses import dataclass

from channels_live.base.frames import dump
from channels_live.delivery.socket import Socket
from channels_live.live.place import Place
from channels_live.live.rendering import Read, Rights, State


@dataclass(slots=True, eq=False)
class View:
    """A topic on a page."""

    digest: str  # of what the page shows
    is_checked: bool = False  # whether the user may see it
    is_live: bool = False  # as the page has been told


class Topic:
    """What a process shows of a key in one language: its state, its pages, what is to do."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.subject = place.subject
        self.name = place.topic
        self.views: dict[Socket, View] = {}
        self.event = ""  # the last state that could be read, as pages get it
        self.digest = ""
        self.is_stale = True
        self.has_failed = False
        self.is_busy = False  # asked for right now, or a moment ago
        self.asked: dict[Socket, View] = {}  # whose rights are asked for with that

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to ask for."""
        views = self.views.values()
        return any(self.is_stale or not view.is_checked for view in views)

    def add(self, socket: Socket, digest: str) -> None:
        self.is_stale |= self.digest != digest
        # Of several elements of a page, one may show an older state.
        shown = self.views.get(socket)
        self.views[socket] = View(
            digest if shown is None or shown.digest == digest else ""
        )

    def changed(self) -> None:
        """Have it read anew, and the rights to see it."""
        self.is_stale = True
        for view in self.views.values():
            view.is_checked = False

    def begin(self) -> bool:
        """Begin to ask for what is wanted. Returns whether it is to be read."""
        is_read, self.is_stale = self.is_stale or self.has_failed, False
        views = self.views.items()
        self.asked = {socket: view for socket, view in views if not view.is_checked}
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
                for socket, view in self.views.items():
                    view.is_checked &= socket in self.asked
            self.digest = state.digest
            self.event = dump(
                {"topic": self.name, "html": state.html, "digest": state.digest}
            )
        for socket, view in self.asked.items():
            right = rights.get(socket.scope["user"].pk)
            if self.views.get(socket) is not view:
                continue  # it has gone, or asks anew
            if right is not True:
                socket.outbox.write(dump({"gone": self.name}), self.name)
                view.digest, view.is_live = "", False
                if right is None:  # else it will be asked again
                    del self.views[socket]
            elif not isinstance(state, Exception):
                self._show(socket, view)
        errors = [
            one for one in (state, *rights.values()) if isinstance(one, Exception)
        ]
        had_failed, self.has_failed = self.has_failed, bool(errors)
        return [] if had_failed else errors

    def _show(self, socket: Socket, view: View) -> None:
        if view.digest != self.digest:
            socket.outbox.write(self.event, self.name)
        elif not view.is_live:
            socket.outbox.write(dump({"topic": self.name}), self.name)
        view.digest, view.is_live = self.digest, True
