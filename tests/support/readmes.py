"""What a README tells people to type, typed."""

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baking import NOTHING, Variables, run
from serving import Server, free_port, serve


def section(readme: Path, heading: str) -> str:
    """The text below a heading."""
    text = readme.read_text("utf-8")
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, heading
    return found[1]


def code(text: str, language: str) -> list[str]:
    """The blocks of a language, without their indentation."""
    blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.M | re.S)
    return [textwrap.dedent(block) for block in blocks]


def type_in(block: str, cwd: Path, env: Variables = NOTHING) -> str:
    """Type the lines of a block into a shell; what they print."""
    return run("bash", "-euc", block, cwd=cwd, env=env).stdout


@contextmanager
def type_and_serve(block: str, cwd: Path, env: Variables = NOTHING) -> Iterator[Server]:
    """Type a block whose last line is a server's. Only its port is another one."""
    port = free_port()
    lines = re.sub(r"runserver$", f"runserver {port}", block.strip())
    lines = lines.replace("8000", str(port))
    env = {"PORT": str(port), **env}
    with serve(["bash", "-euc", lines], cwd=cwd, port=port, env=env) as server:
        yield server
        assert "Traceback" not in server.log, server.log
