"""What a README tells people to type, typed."""

import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baking import NOTHING, Variables, run
from serving import Server, Visitor, free_port, serve

BROKEN_UV = "#!/bin/sh\necho 'pyenv: uv: command not found' >&2\nexit 127\n"


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


def boost(project: Path) -> None:
    """Have HTMX load all pages, as docs/realtime.md shows it."""
    text = section(project / "docs" / "realtime.md", "With HTMX")
    (head,) = code(text, "html")
    (body,) = re.findall(r"`(<body .*>)`", text)
    base = project / "templates" / "base.html"
    block = "  {% block head %}"
    page = base.read_text().replace(block, f"{head}{block}").replace("<body>", body)
    base.write_text(page)


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


def assert_at_work(server: Server) -> None:
    """The site answers, and its WebSockets do."""
    visitor = Visitor(server)
    assert visitor.get("/").ok
    assert visitor.get("/accounts/signup/").ok
    with visitor.connect("/ws/ping/") as socket:
        socket.send("x")
        assert socket.recv(timeout=10) == "x"


def fresh_machine(folder: Path) -> Variables:
    """Python and make, and a uv that is a version manager's empty promise."""
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    (folder / "uv").write_text(BROKEN_UV)
    (folder / "uv").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}
