"""What a project's README tells people to type works, as it is written."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from baking import Kitchen, Variables, assert_all_passed, run
from playwright.sync_api import Browser, expect
from readmes import (
    assert_at_work,
    boost,
    code,
    fresh_machine,
    section,
    type_and_serve,
    type_in,
)
from serving import Visitor, free_port, serve
from tunnels import tunnel


def test_starting_and_testing_a_project_with_uv(
    kitchen: Kitchen, mypy_cache: Variables, note: Callable[[str], None]
) -> None:
    project = kitchen.write({})
    readme = project / "README.md"
    with type_and_serve(code(section(readme, "Start"), "sh")[0], project) as server:
        assert_at_work(server)
    (block,) = code(section(readme, "Test"), "sh")
    tests, _, others = block.partition("\n")
    start = time.perf_counter()
    assert_all_passed(type_in(tests, project))
    seconds = time.perf_counter() - start
    note(f"suite of a generated project: {seconds:.1f} s")
    assert seconds < 90  # beside others
    type_in(others, project, mypy_cache)


def test_starting_a_project_with_pip(
    kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = fresh_machine(tmp_path_factory.mktemp("bin"))
    project = kitchen.write({"include_chat_demo": False})
    block = code(section(project / "README.md", "Start"), "sh")[1]
    block = block.replace("python -m venv", "python3 -m venv")
    # Compiling all that is installed takes longest. pip means `--compile` by this name.
    env = {**machine, "PIP_NO_COMPILE": "0"}
    with type_and_serve(block, project, env) as server:
        assert_at_work(server)


def test_deploying_a_project(
    kitchen: Kitchen, postgres: dict[str, str], redis_url: str, server_name: str
) -> None:
    project = kitchen.write({"asgi_server": server_name})
    (project / ".env").unlink()
    run("uv", "lock", cwd=project)
    text = section(project / "README.md", "Deploy")
    named = re.findall(r"^\| `(\w+)`", text, re.M)
    env = {
        **postgres,
        "BEHIND_PROXY": "true",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "REDIS_URL": redis_url,
        "SECRET_KEY": "long-and-random-" * 4,
    }
    assert set(named) == set(env) - {"PGUSER"}
    env["ALLOWED_HOSTS"] = "127.0.0.1"
    (block,) = code(text, "sh")
    with type_and_serve(block, project, env) as server:
        visitor = Visitor(server)
        visitor.session.max_redirects = 0
        visitor.session.headers["X-Forwarded-Proto"] = "https"
        page = visitor.get("/")
        assert page.ok
        assert "Strict-Transport-Security" in page.headers
    assert not (project / ".venv" / "bin" / "pytest").exists()


def test_adding_a_websocket_endpoint(kitchen: Kitchen, browser: Browser) -> None:
    project = kitchen.bake({})
    path = project.path
    text = section(path / "README.md", "Add a WebSocket endpoint")
    (start,) = code(text, "sh")
    env = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    add_printed_routes(type_in(start, path, env), path)
    for name in re.findall(r"`([\w/]+\.\w+)`", text.partition("By hand")[0]):
        assert "ticker" in (path / name).read_text()
    (consumer, route) = code(text, "python")
    (tag,) = code(text, "html")
    (script,) = code(text, "js")
    (imported,) = re.findall(r"`(from \S+ import \w+)`", text)

    ticker = path / "apps" / "web" / "static" / "web" / "ticker.js"
    (path / "apps" / "web" / "shout.py").write_text(consumer)
    routes = path / "config" / "channels_urls.py"
    listed = "websocket_urlpatterns = [\n"
    text = routes.read_text().replace(listed, f"{listed}{route.strip()},\n")
    below = "from apps.web.ticker import"
    routes.write_text(text.replace(below, f"{imported}\n{below}"))
    home = path / "apps" / "web" / "templates" / "web" / "home.html"
    block = "{% block main %}\n"
    home.write_text(home.read_text().replace(block, block + tag, 1))
    (path / "apps" / "web" / "static" / "web" / "shout.js").write_text(script)

    boost(path)

    project.run("ruff", "format", "--quiet", "--no-cache")
    project.run("ruff", "check", "--no-cache")
    project.manage("migrate")
    port = free_port()
    with (
        tunnel(port, rewrites=True) as line,
        serve(
            [str(project.python), "manage.py", "runserver", "--noreload", str(port)],
            cwd=path,
            port=port,
            env={"CSRF_TRUSTED_ORIGINS": line.url},
        ),
    ):
        page = browser.new_page()
        page.goto(line.url)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.evaluate("window.isTheSame = true")
        for _ in range(2):
            expect(page.locator("#shout")).to_have_text("HELLO")
            page.get_by_role("link", name="Chat").first.click()
            # HTMX shows what is answered last, not what was asked for last.
            expect(page.locator("#shout")).to_have_count(0)
            page.locator("a.brand").click()
        expect(page.locator("#shout")).to_have_text("HELLO")
        assert errors == []
        assert page.evaluate("isTheSame") is True
        page.get_by_role("link", name="Chat").first.click()
        expect(page.locator("#shout")).to_have_count(0)
        for late in (script, ticker.read_text()):  # whose page has gone meanwhile
            page.evaluate(f"() => {{{late}}}")
        page.close()
    url = project.manage(
        *("shell", "--no-imports", "-c"),
        "from channels_live.utils import websocket_absolute_url, websocket_reverse;"
        "print(websocket_absolute_url(websocket_reverse('ws_shout')))",
    )
    assert url == "ws://localhost:8000/ws/shout/\n"
    printed = project.run("pytest", "-q", "apps/web/tests/test_ticker.py").stdout
    assert_all_passed(printed)


def add_printed_routes(printed: str, project: Path) -> None:
    """Add the routes that startsocket prints, each with its import."""
    lines = re.findall(r"^    (.*)$", printed, re.M)
    for name, listed, imported, route in (
        ("channels_urls", "websocket_urlpatterns = [\n", *lines[:2]),
        ("urls", "urlpatterns = [\n", *lines[2:4]),
    ):
        file = project / "config" / f"{name}.py"
        text = file.read_text()
        assert text.count(f"\n{listed}") == 1
        before, _, after = text.partition(f"\n{listed}")
        before = f"{before.rstrip()}\n"
        if (library := "from channels_live import") in before:
            before = before.replace(library, f"{imported}\n{library}")
        else:  # imports of this project come last
            gap = "" if "from apps." in before else "\n"
            before = f"{before}{gap}{imported}\n"
        file.write_text(f"{before}\n{listed}    {route}\n{after}")


# What every repository has.
COMMON = {
    *(".dockerignore", ".env", ".env.example", ".gitattributes", ".gitignore"),
    *(".python-version", "LICENSE", "README.md", "manage.py"),
}


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_the_layout_names_what_there_is(kitchen: Kitchen, ci: str) -> None:
    project = kitchen.write({"ci": ci})
    rows = re.findall(r"^\| (`.*?) \|", section(project / "README.md", "Layout"), re.M)
    named = re.findall(r"`([^`]+)`", " ".join(rows))

    assert [name for name in named if not list(project.glob(name))] == []
    there = {path.name for path in project.iterdir()} - COMMON - {"apps"}
    there |= {f"apps/{path.name}" for path in (project / "apps").glob("[!_]*")}
    assert there <= {name.rstrip("/") for name in named}
