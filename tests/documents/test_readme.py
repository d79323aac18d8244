"""What the README of this repository tells people to type works, as it is written."""

import re
import shutil
from pathlib import Path

import pytest
from baking import Kitchen, run
from readmes import (
    assert_at_work,
    code,
    fresh_machine,
    section,
    type_and_serve,
    type_in,
)
from serving import Visitor


@pytest.fixture
def clone(kitchen: Kitchen, tmp_path: Path) -> Path:
    """This repository, as a stranger has it after `git clone`."""
    clone = tmp_path / "cookiecutter-django-channels"
    shutil.copytree(kitchen.template, clone)
    run("git", "init", "--quiet", cwd=clone)
    run("git", "add", ".", cwd=clone)
    return clone


def test_make_demo_on_a_fresh_machine(
    clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = fresh_machine(tmp_path_factory.mktemp("bin"))
    (block, *_) = code(section(clone / "README.md", "Try it"), "sh")
    assert block == "make demo\n"
    with type_and_serve(block, clone, machine) as server:
        assert_at_work(server)
        assert f"Open http://localhost:{server.port}" in server.log
        found = re.search(r"password (\w+) as\n  ada", server.log)
        assert found
        refused = run(
            *("make", "demo"),
            cwd=clone,
            env={**machine, "PORT": str(server.port)},
            ok=False,
        )
        assert refused.returncode != 0
        assert f"Port {server.port} cannot be used" in refused.stderr
        assert "Traceback" not in refused.stderr
    # Again, with the people of the first time.
    with type_and_serve(block, clone, machine) as server:
        visitor = Visitor(server)
        visitor.log_in("ada", found[1])
        assert "The staging server is back." in visitor.get("/chat/lobby/").text
    assert run("git", "status", "--porcelain", cwd=clone).stdout.count("??") == 0


def test_using_the_template(clone: Path, tmp_path: Path) -> None:
    (block,) = code(section(clone / "README.md", "Use it"), "sh")
    block = block.replace("gh:ORG/cookiecutter-django-channels", str(clone))
    with type_and_serve(f"yes '' | {block}", tmp_path) as server:  # Enter, each time
        assert_at_work(server)


@pytest.mark.parametrize(
    "number",
    [pytest.param(0, marks=pytest.mark.deep, id="make"), pytest.param(1, id="uv")],
)
def test_running_the_tests(clone: Path, number: int) -> None:
    block = code(section(clone / "README.md", "Work on it"), "sh")[number]
    # All of them would include this one.
    env = {"PYTEST_ADDOPTS": "-k the_default_slug_follows"}
    assert re.search(r"\d+ passed", type_in(block, clone, env))


def test_the_table_lists_every_prompt(clone: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \|", section(clone / "README.md", "Use it"), re.M)
    listed = re.findall(r"`(\w+)`", " ".join(rows))
    prompts = re.findall(
        r'^  "([a-z]\w+)": ', (clone / "cookiecutter.json").read_text(), re.M
    )
    assert listed == prompts
