from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.ops.management.commands.release import collect

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


def test_what_has_not_changed_stays_and_so_does_what_is_old(tmp_path: Path) -> None:
    old = tmp_path / "old.css"
    old.write_text("")
    tmp_path.chmod(0o755)  # so that a proxy, another user, may read it
    collect(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    files = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    changed = tmp_path / "favicon.svg"
    changed.write_text("changed")

    collect(tmp_path)

    assert "<svg" in changed.read_text()
    found = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    assert found.keys() == files.keys()
    assert {path for path in files if found[path] != files[path]} == {changed}
    assert old.exists()
