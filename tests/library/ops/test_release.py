from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.core import checks
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.ops.management.commands.release import Command, collect

pytestmark = pytest.mark.django_db


def test_it_says_what_it_did(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"

    call_command("release")

    said = capsys.readouterr().out
    assert "No migrations to apply" in said
    assert said.endswith("Released.\n")
    assert (tmp_path / "static" / "css" / "site.css").exists()


@pytest.fixture
def complain() -> Iterator[Callable[[checks.CheckMessage], None]]:
    """Have a system check say that."""
    said: list[checks.CheckMessage] = []
    registered = checks.registry.registry.registered_checks
    others = set(registered)
    checks.register(lambda **kwargs: said)
    yield said.append
    registered.intersection_update(others)


def test_settings_are_checked_once(
    settings: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    complain: Callable[[checks.CheckMessage], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.STATIC_ROOT = tmp_path
    complain(checks.Warning("It leaks."))
    # A pool would keep the connection, with the lock that other releases wait for.
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)

    Command().run_from_argv(["manage.py", "release", "--traceback"])

    assert capsys.readouterr().err.count("It leaks.") == 1


def test_broken_settings_are_not_released(
    complain: Callable[[checks.CheckMessage], None],
) -> None:
    complain(checks.Error("It sinks."))

    with pytest.raises(CommandError, match="Nothing is released"):
        call_command("release")


def test_nothing_is_released_for_development(settings: Any) -> None:
    settings.DEBUG = True

    with pytest.raises(CommandError, match=r"DEBUG is true, .* Set DEBUG=false"):
        call_command("release")


@pytest.mark.parametrize("domain", ["localhost:8000", "harbour.example"])
def test_a_site_of_development_is_told(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], domain: str
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.SITE_DOMAIN = "harbour.example"
    site = Site.objects.get_current()
    site.domain = domain
    site.save()

    call_command("release")

    said = capsys.readouterr().err
    assert ("The Site is localhost:8000" in said) is (domain == "localhost:8000")


def test_files_are_replaced_and_old_ones_stay(tmp_path: Path) -> None:
    old = tmp_path / "old.css"
    old.write_text("")
    tmp_path.chmod(0o755)  # so that a proxy, another user, may read it
    collect(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    files = set(tmp_path.rglob("*"))
    changed = tmp_path / "favicon.svg"
    changed.write_text("changed")

    collect(tmp_path)

    assert "<svg" in changed.read_text()
    assert set(tmp_path.rglob("*")) == files
    assert old.exists()
