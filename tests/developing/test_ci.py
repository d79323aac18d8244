"""The CI of a project, and this template's own, satisfies those who know CI."""

import re
from pathlib import Path

import jobs
import pytest
from baking import TEMPLATE, TREE, Kitchen, run

ECOSYSTEMS = {"uv", "github-actions", "docker", "docker-compose"}


@pytest.fixture(scope="session", params=[True, False], ids=["demo", "no demo"])
def with_demo(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def check_github(folder: Path) -> None:
    """Every tool that knows workflows is content with those of a repository."""
    github = folder / ".github"
    workflows = sorted((github / "workflows").iterdir())
    run("actionlint", *workflows, cwd=folder)
    run("zizmor", "--offline", "--quiet", ".github", cwd=folder)
    has_schema(folder, "github-workflows", *workflows)
    has_schema(folder, "dependabot", github / "dependabot.yml")


def has_schema(folder: Path, name: str, *files: Path) -> None:
    run(*("check-jsonschema", "--builtin-schema", f"vendor.{name}"), *files, cwd=folder)


def test_this_repository() -> None:
    check_github(TEMPLATE)


def test_on_github(kitchen: Kitchen, with_demo: bool) -> None:
    project = kitchen.write({"ci": "github", "include_chat_demo": with_demo})
    check_github(project)
    kept_fresh = jobs.read(project / ".github" / "dependabot.yml")["updates"]
    assert {one["package-ecosystem"] for one in kept_fresh} == ECOSYSTEMS
    assert not (project / ".gitlab-ci.yml").exists()


def test_on_gitlab(kitchen: Kitchen, with_demo: bool) -> None:
    project = kitchen.write({"ci": "gitlab", "include_chat_demo": with_demo})
    has_schema(project, "gitlab-ci", project / ".gitlab-ci.yml")
    assert not (project / ".github").exists()


def test_none_leaves_no_trace(kitchen: Kitchen) -> None:
    project = kitchen.write({"ci": "none"})
    names = {path.name for path in project.iterdir()}
    assert not names & {".github", ".gitlab-ci.yml"}
    found = run(
        "grep", "-riE", "gitlab|dependabot|workflow", ".", cwd=project, ok=False
    )
    assert found.stdout == ""


def test_services_are_those_of_compose(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    compose = jobs.read(project / "compose.yaml")["services"]
    deployed = {service.get("image") for service in compose.values()}
    workflow = jobs.read(project / ".github" / "workflows" / "ci.yml")
    tested = {
        service["image"] for service in workflow["jobs"]["tests"]["services"].values()
    }
    pipeline = jobs.read(kitchen.write({"ci": "gitlab"}) / ".gitlab-ci.yml")
    assert {service["name"] for service in pipeline["tests"]["services"]} == tested
    assert tested < deployed


def test_an_action_is_pinned_to_one_commit() -> None:
    pinned: dict[str, set[str]] = {}
    for folder in (TEMPLATE, TREE):
        for workflow in (folder / ".github" / "workflows").iterdir():
            for name, pin in re.findall(
                r"uses: (\S+)@(\w+ # \S+)", workflow.read_text()
            ):
                pinned.setdefault(name, set()).add(pin)
    assert "actions/checkout" in pinned
    assert not {name: pins for name, pins in pinned.items() if len(pins) > 1}
