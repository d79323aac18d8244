"""`manage.py release`, as it runs in production: twice, at once, beside servers."""

import re
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from baking import Kitchen, Project, Variables, environment, run
from fleet import PRODUCTION
from serving import Visitor, free_port, serve

APPLIED = """
from collections import Counter
from django.db.migrations.recorder import MigrationRecorder
rows = MigrationRecorder.Migration.objects.values_list("app", "name")
assert rows and max(Counter(rows).values()) == 1, Counter(rows).most_common(3)
"""
CHECK = re.compile(r"\w+\.[EW]\d+")
# As in a container whose capabilities are dropped: root may not write everywhere.
BOUND = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    return kitchen.bake({"asgi_server": "uvicorn", "chat_client": "javascript"})


def release(
    project: Project, env: Variables, *prefix: str
) -> subprocess.CompletedProcess[str]:
    command = (*prefix, str(project.python), "manage.py", "release")
    return run(*command, cwd=project.path, env=env, ok=False)


def test_two_releases_at_once(
    project: Project, postgres: Variables, redis_url: str
) -> None:
    env = {**PRODUCTION, **postgres, "REDIS_URL": redis_url}
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: release(project, env), range(2)))
    for one in done:
        assert one.returncode == 0, one.stderr
        assert one.stdout.endswith("Released.\n")
        # These tests do without HTTPS and mail, which it says.
        assert {"security.W008", "mail.E001"} <= set(CHECK.findall(one.stderr))
    (first, second) = sorted((one.stdout for one in done), key=len, reverse=True)
    assert "Applying users.0001_initial... OK" in first
    assert "No migrations to apply" in second
    project.manage("shell", "--no-imports", "-c", APPLIED, env=env)


def test_a_process_that_runs_serves_every_file_whole(
    project: Project, postgres: Variables, redis_url: str
) -> None:
    env = {**PRODUCTION, **postgres, "REDIS_URL": redis_url}
    assert release(project, env).returncode == 0
    port = free_port()
    command = [str(project.python), "-m", "uvicorn", "config.asgi:application"]
    command += ["--port", str(port)]
    changed = project.path / "static" / "css" / "site.css"
    with serve(command, cwd=project.path, port=port, env=env) as server:
        visitor = Visitor(server)
        (path,) = re.findall(r"/static/css/site\.\w+\.css", visitor.get("/").text)
        whole = visitor.get(path).text
        changed.write_text(f"{whole}\n.new {{ color: red; }}\n")
        releasing = subprocess.Popen(
            [str(project.python), "manage.py", "release"],
            cwd=project.path,
            env=environment(env),
            stdout=subprocess.DEVNULL,
        )
        answers: Counter[str] = Counter()
        while releasing.poll() is None:
            answers[visitor.get(path).text] += 1
            time.sleep(0.002)
        assert releasing.returncode == 0
        assert set(answers) == {whole}
    with serve(command, cwd=project.path, port=port, env=env) as server:
        visitor = Visitor(server)
        (newer,) = re.findall(r"/static/css/site\.\w+\.css", visitor.get("/").text)
        assert newer != path
        assert visitor.get(newer).text.endswith(".new { color: red; }\n")
    # Proxies serve it to pages that a process of the version before has made.
    old = project.path / "staticfiles" / path.removeprefix("/static/")
    assert old.read_text() == whole


def test_static_files_of_a_read_only_image_are_kept(
    project: Project, sqlite: Variables, redis_url: str
) -> None:
    env = {**PRODUCTION, **sqlite, "REDIS_URL": redis_url}
    root = project.path / "staticfiles"
    kept = root.rename(root.with_name("kept")) if root.exists() else None
    root.mkdir(mode=0o555)
    done = release(project, env, *BOUND)
    assert done.returncode != 0
    assert f"{root} is read-only and empty" in done.stderr.splitlines()[-1]
    root.rmdir()
    assert kept
    kept.rename(root)
    root.chmod(0o555)
    done = release(project, env, *BOUND)
    root.chmod(0o755)
    assert done.returncode == 0, done.stderr
