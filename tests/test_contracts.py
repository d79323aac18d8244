"""Which way imports run: inside the library, and between a project and the library."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Template

from baking import TREE, committed, run
from signatures import LIBRARY, PUBLIC_MODULES, public_names

CONTRACTS = """
[importlinter]
root_packages =
    channels_live
    apps
    config

[importlinter:contract:rooms]
name = The rooms of the library are floors
type = layers
exhaustive = True
containers = channels_live
layers =
    apps
    management | templatetags | testing
    servers
    handshake | live_consumer
    consumers
    commands
    process
    live | presence | revocation
    delivery
    observe | utils
    base
    conf | logins | migrations | models | runner

[importlinter:contract:cycles]
name = No folder and no module goes in a circle
type = acyclic_siblings
ancestors =
    channels_live

[importlinter:contract:library]
name = The library knows nothing of a project
type = forbidden
source_modules = channels_live
forbidden_modules =
    apps
    config
"""
# Files of projects that name modules, and what they may name beside the public API.
NAMES = re.compile(r"\bchannels_live\.(\w+)")
BLANKS = {
    "app": "web",
    "name": "ticker",
    "camel": "Ticker",
    "slug": "s",
    "title": "T",
}


def test_imports_run_one_way(tmp_path: Path) -> None:
    config = tmp_path / "contracts.ini"
    config.write_text(CONTRACTS)
    run("lint-imports", "--no-cache", "--config", config, cwd=TREE)


def test_a_project_names_only_what_is_public() -> None:
    public = public_names() | PUBLIC_MODULES
    assert {"Consumer", "publish", "utils"} <= public
    strangers = {
        (str(path.relative_to(TREE)), name)
        for path in files_of_projects()
        for name in names_in(path)
        if name not in public
    }
    assert strangers == set()


def files_of_projects() -> Iterator[Path]:
    """All that is in a project, and in sockets that `startsocket` writes."""
    written = LIBRARY / "startsocket"
    for path in committed():
        is_inside = path.is_relative_to(LIBRARY) and not path.is_relative_to(written)
        is_djangos = "app_template" in path.parts  # with Django's own braces
        is_text = path.suffix != ".ico"
        if path.is_relative_to(TREE) and is_text and not is_inside and not is_djangos:
            yield path


def names_in(path: Path) -> Iterator[str]:
    """What a file names of the library: in imports, and wherever dots lead into it."""
    text = path.read_text("utf-8")
    yield from NAMES.findall(text)
    if path.suffix in {".py", ".py-tpl"}:
        code = Template(text).safe_substitute(BLANKS) if "tpl" in path.suffix else text
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module == "channels_live":
                yield from (alias.name for alias in node.names)
