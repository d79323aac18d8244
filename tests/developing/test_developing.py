"""What the development server does for whoever writes the code."""

import os
import re
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from baking import Kitchen
from fleet import wait_until
from people import Person
from playwright.sync_api import Browser, Page, expect
from serving import Visitor, free_port, serve
from sites import runserver

ADA = """
from apps.users.models import User
User.objects.create_user("ada", "ada@example.org", "correct-horse")
"""
LINK = re.compile(r"^http://localhost:8000(/accounts/password/reset/key/\S+/)$", re.M)


def test_an_open_page_follows_the_code(
    kitchen: Kitchen, browser: Browser, note: Callable[[str], None]
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    settings = project.path / "config" / "settings.py"
    home = project.path / "apps" / "web" / "templates" / "web" / "home.html"
    project.manage("migrate")
    port = free_port()
    command = runserver(project, port)
    command.remove("--noreload")
    with serve(command, cwd=project.path, port=port) as server:
        developer = Person(browser, server.url)
        page = developer.page
        page.goto("/")

        seconds = change(settings, '"My Project"', '"Our Harbour"', page)
        note(f"a changed Python file is on the page after {seconds:.1f} s")
        seconds = change(home, "Where to go next", "Where we go", page)
        note(f"a changed template is on the page after {seconds:.1f} s")
        expect(page.locator("#ping-state")).to_have_text("connected")

        server.signal(signal.SIGINT)
        # Not taken note of, which is for whoever ends its children too.
        ended = partial(
            os.waitid, os.P_PID, server.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG
        )
        seconds = wait_until(ended, "the development server has ended")
        note(f"Ctrl-C ends the development server after {seconds:.1f} s")
        assert seconds < 5
        assert "Traceback" not in server.log
        # While the server restarts, it is away.
        others = [one for one in developer.complaints if "ERR_CONNECTION" not in one]
        assert others == []
        developer.context.close()


def test_a_link_in_the_console_can_be_followed(kitchen: Kitchen) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("migrate")
    project.manage("shell", "-c", ADA)
    port = free_port()
    # Beside the host of a tunnel, localhost is served too.
    env = {"ALLOWED_HOSTS": "name.tunnel.example"}
    command = runserver(project, port)
    with serve(command, cwd=project.path, port=port, env=env) as server:
        visitor = Visitor(server)
        visitor.post("/accounts/password/reset/", email="ada@example.org")
        wait_until(lambda: LINK.search(server.log), "the e-mail is in the console")
        link = LINK.search(server.log)
        assert link
        assert "Change Password" in visitor.get(link[1]).text


def change(file: Path, old: str, new: str, page: Page) -> float:
    """Change a file and wait until the page shows it; after how many seconds."""
    # Until then the page does not know the server that is to restart.
    page.wait_for_timeout(2000)
    text = file.read_text("utf-8")
    assert old in text
    start = time.perf_counter()
    file.write_text(text.replace(old, new), "utf-8")
    expect(page.locator("main")).to_contain_text(new.strip('"'), timeout=30_000)
    return time.perf_counter() - start
