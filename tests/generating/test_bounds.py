"""Whatever is installed has a lower and an upper bound: next year it installs too."""

from pathlib import Path

import pytest
import yaml
from baking import TEMPLATE, Kitchen, declared, run
from packaging.requirements import Requirement

BENCHMARKS = sorted((TEMPLATE / "benchmarks" / "sides").glob("*/requirements.txt"))


def assert_bounded(requirements: list[str]) -> None:
    assert requirements
    for text in requirements:
        operators = {one.operator for one in Requirement(text).specifier}
        assert operators == {">=", "<"}, text


def test_of_the_template() -> None:
    assert_bounded(declared(TEMPLATE))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.parent.name)
def test_of_the_benchmarks(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert_bounded([line for line in lines if not line.startswith("#")])


@pytest.mark.parametrize("with_demo", [True, False], ids=["demo", "no demo"])
def test_of_a_project(kitchen: Kitchen, with_demo: bool) -> None:
    project = kitchen.write({"include_chat_demo": with_demo, "asgi_server": "uvicorn"})
    assert_bounded(declared(project))
    hooks = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]


def test_the_lock_is_committed(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    run("git", "init", "--quiet", cwd=project)
    assert run("git", "check-ignore", "uv.lock", cwd=project, ok=False).returncode == 1
