"""Messages that are edited or deleted, on pages that show them."""

import re
import signal
import time
from collections.abc import Callable

from people import Person
from playwright.sync_api import expect
from serving import free_port, serve
from sites import Site, runserver

Invite = Callable[..., Person]
SAID = [("bob", text) for text in ("frist", "abuse", "more abuse", "tpyo", "last")]
# Behind the back of the server, as from another one whose Redis is away.
CHANGE = """
from apps.chat.models import Message

message = Message.objects.get(text={before!r}, room__slug={room!r})
if {after!r}:
    message.text = {after!r}
    message.save()
else:
    message.delete()
"""
# The database goes on from before its last message, as one that took over may.
GO_BACK = """
from apps.chat.models import Room

room = Room.objects.get(slug={room!r})
room.messages.last().delete()
room.changes.all().delete()
Room.objects.filter(pk=room.pk).update(last_number={number})
"""


def change(chat: Site, room: str, before: str, after: str) -> None:
    chat.shell.run(CHANGE.format(room=room, before=before, after=after))


def test_moderation_reaches_open_pages(invite: Invite, chat: Site) -> None:
    chat.fill("moderated", *SAID)
    ada, margaret = invite("ada"), invite("margaret")
    ada.visit("moderated")
    margaret.page.goto("/admin/chat/message/?q=abuse")
    margaret.page.check("#action-toggle")
    margaret.page.select_option("select[name=action]", "delete_selected")
    margaret.page.locator("button[name=index]").click()
    margaret.page.locator("input[type=submit]").click()
    ada.sees("frist", "tpyo", "last")
    margaret.page.goto("/admin/chat/message/?q=last")
    margaret.page.locator("#result_list tbody th a").click()
    margaret.page.fill("textarea[name=text]", "the last")
    margaret.page.locator("input[name=_save]").click()
    ada.sees("frist", "tpyo", "the last")
    change(chat, "moderated", "tpyo", "typo")
    ada.sees("frist", "typo", "the last")
    # Dressed as all messages, and nothing new.
    expect(ada.messages.last).to_have_attribute("style", re.compile("--hue"))
    expect(ada.page.locator("#new-messages")).to_be_hidden()


def test_only_a_room_without_messages_says_so(invite: Invite, chat: Site) -> None:
    chat.fill("empty")
    ada = invite("ada")
    ada.visit("empty")
    nothing = ada.page.get_by_text("Nothing was said here yet")
    expect(nothing).to_be_visible()
    ada.say("something")
    ada.sees("something")
    expect(nothing).to_be_hidden()
    change(chat, "empty", "something", "")
    expect(nothing).to_be_visible()


def test_moderation_reaches_pages_that_come_back(invite: Invite, chat: Site) -> None:
    chat.fill("away", *SAID)
    ada = invite("ada")
    port = free_port()
    command = runserver(chat.project, port)
    with serve(command, cwd=chat.project.path, port=port) as server:
        ada.page.goto(f"http://127.0.0.1:{port}/chat/away/")
        ada.is_online()
        ada.page.evaluate("window.isThere = true")
        server.signal(signal.SIGKILL)
        expect(ada.status).to_have_text("Reconnecting …")
    change(chat, "away", "frist", "first")
    change(chat, "away", "abuse", "")
    with serve(command, cwd=chat.project.path, port=port):
        ada.is_online()
        ada.sees("first", "more abuse", "tpyo", "last")
        change(chat, "away", "last", "")
        ada.sees("first", "more abuse", "tpyo")
        assert ada.page.evaluate("window.isThere")
        ada.page.goto("about:blank")
    ada.complaints.clear()  # of the server that was away


def test_a_page_whose_history_went_back_loads_anew(
    invite: Invite, chat: Site, note: Callable[[str], None]
) -> None:
    chat.fill("back", ("bob", "first"), ("bob", "second"), ("bob", "lost"))
    ada = invite("ada")
    port = free_port()
    command = runserver(chat.project, port)
    with serve(command, cwd=chat.project.path, port=port) as server:
        ada.page.goto(f"http://127.0.0.1:{port}/chat/back/")
        ada.is_online()
        ada.page.evaluate("window.isThere = true")
        server.signal(signal.SIGKILL)
        expect(ada.status).to_have_text("Reconnecting …")
    chat.shell.run(GO_BACK.format(room="back", number=2))
    chat.fill("back", ("bob", "other"))  # with the number of the one that was lost
    with serve(command, cwd=chat.project.path, port=port):
        began = time.monotonic()
        # It may wait for 8 s before it tries again, if the server was long away.
        expect(ada.messages.last).to_contain_text("other", timeout=30_000)
        ada.sees("first", "second", "other")
        took = time.monotonic() - began
        assert not ada.page.evaluate("window.isThere")
        ada.page.goto("about:blank")
    ada.complaints.clear()  # of the server that was away
    note(f"{chat.client}: a page with a lost message loads anew after {took:.1f} s")
