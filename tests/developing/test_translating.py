"""Another language takes one line and a catalog, as the README says."""

import re
from pathlib import Path

import pytest
from baking import Kitchen
from programs import find_program
from readmes import code, section, type_in
from serving import Server, Visitor, free_port, receive_until, serve
from sites import runserver

# Of a page, of its scripts, of what is wrong with a frame.
WORDS = {
    "Sign In": "Se connecter",
    "Reconnecting …": "Reconnexion …",
    "Expected JSON, got something else.": "Reçu autre chose que du JSON.",
}
ENGLISH = '("en", "English")'


@pytest.fixture(autouse=True)
def gettext() -> None:
    find_program("xgettext")
    find_program("msgfmt")


def translate(catalogs: list[Path]) -> None:
    translated = set()
    for catalog in catalogs:
        text = catalog.read_text("utf-8")
        for english, french in WORDS.items():
            entry = f'msgid "{english}"\nmsgstr '
            if f'{entry}""' in text:
                text = text.replace(f'{entry}""', f'{entry}"{french}"')
                translated.add(english)
        catalog.write_text(text, "utf-8")
    assert translated == set(WORDS)


def test_a_site_speaks_the_language_of_each_browser(kitchen: Kitchen) -> None:
    project = kitchen.bake({})
    path = project.path
    text = section(path / "README.md", "Translate")
    collect, compile_ = code(text, "sh")
    (line,) = re.findall(r'`(\("fr", .*?\))`', text)
    settings = path / "config" / "settings.py"
    before = settings.read_text("utf-8")
    assert ENGLISH in before
    settings.write_text(before.replace(ENGLISH, f"{ENGLISH}, {line}"), "utf-8")

    env = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    type_in(collect, path, env)
    (named,) = re.findall(r"`(locale/\S+)`", text)
    assert (path / named).is_file()
    translate([*path.rglob("locale/fr/**/*.po")])
    type_in(compile_, path, env)

    project.manage("migrate")
    port = free_port()
    with serve(runserver(project, port), cwd=path, port=port) as server:
        assert_spoken(server, "fr-CA,fr;q=0.9,en;q=0.8", "fr", list(WORDS.values()))
        assert_spoken(server, "en-GB,fr;q=0.5", "en", list(WORDS))


def assert_spoken(server: Server, accepted: str, name: str, words: list[str]) -> None:
    """In pages, in the words that pages have for scripts, and through sockets."""
    button, status, error = words
    visitor = Visitor(server)
    visitor.session.headers["Accept-Language"] = accepted
    page = visitor.get("/")
    assert f'<html lang="{name}">' in page.text
    assert "Accept-Language" in page.headers["Vary"]
    assert button in page.text
    visitor.sign_up(f"speaker-of-{name}")
    assert status in visitor.post("/chat/", name="lobby").text
    with visitor.connect("/ws/chat/lobby/?after=0") as socket:
        socket.send("no JSON")
        receive_until(socket, error)
