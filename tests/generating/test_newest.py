"""`make newest` takes every upper bound away, and says what is beyond it."""

from pathlib import Path

from baking import Kitchen, declared
from packaging.requirements import Requirement

from scripts.newest import beyond, lift


def test_no_upper_bound_is_left(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    before = declared(project)
    lifted = lift(project / "pyproject.toml")
    assert [str(Requirement(text)) for text in before] == [str(one) for one in lifted]
    assert not [text for text in declared(project) if "<" in text]


def test_what_is_newer_is_said(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text(
        '[[package]]\nname = "django"\nversion = "7.0"\n'
        '[[package]]\nname = "ruff"\nversion = "0.17.1"\n'
    )
    bounded = [Requirement("django>=6.1,<6.2"), Requirement("ruff>=0.17,<0.18")]
    assert list(beyond(bounded, lock)) == ["django is at 7.0, beyond <6.2,>=6.1"]
