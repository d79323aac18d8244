"""Every variable of .env.example: a wrong value stops the start, with a sentence."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

EXAMPLE = Path(settings.BASE_DIR, ".env.example").read_text("utf-8")
EXAMPLES = re.findall(r"(?m)^#? *([A-Z_]+)=(.*)$", EXAMPLE)

BOOLEAN = ["app:*", "*", "tru", "2", "-1", "true # no", '"true"', "\u0442rue"]
NUMBER = ["abc", "0", "-1", "1.5", "1_000", "1e3", "٣", "20 a second", "9" * 30]
RANDOM = ['python -c "import secrets"', "$SECRET", "schlüssel", "two words"]
LIMIT = ["abc", "10", "10 per 0 seconds", "10 per fortnight", "ten per second"]
WRONG = {
    "ALLOWED_HOSTS": [
        *(
            "https://example.com",
            "example.com:8000",
            "example.com/",
            "a_b",
            "bücher.de",
        ),
        *("a.com, b.com", "a.com;b.com", "['a.com']", "*.example.com", "a.com."),
    ],
    "BEHIND_PROXY": BOOLEAN,
    "CHAT_FLOOD_LIMIT": LIMIT,
    "CHAT_ROOM_LIMIT": LIMIT,
    "CSRF_TRUSTED_ORIGINS": [
        *("example.com", "https://example.com/", "https://a.comhttps://b.com", "*"),
        *("https://a.com https://b.com", "wss://example.com", "https://a:99999"),
        *("https://Example.com", "https://a.com:443", "https://b.com,http://a.com:80"),
    ],
    "DATABASE_URL": [
        *(
            "nonsense",
            "mysql://u:p@h/n",
            "oracle://h/n",
            "postgres://host",
            "sqlite://",
        ),
        *("sqlite://db.sqlite3", "sqlite:///", "sqlite:///C#.sqlite3", "db.sqlite3"),
        *("sqlite:///c++.sqlite3", "sqlite:///50%.sqlite3", "sqlite:///a?nonsense=1"),
        *("sqlite:///missing/folder/db.sqlite3", "sqlite:///config", "sqlite:////tmp"),
        *("postgres://h/n/", "postgres://h/n/more", "postgres://h:0/n"),
        *("postgres://u:p#w@h/n", "postgres://u:p/w@h/n", "postgres://u:1/w@h/n"),
        *(
            "postgres://h:abc/n",
            "postgres://h:99999/n",
            "postgres:/h/n",
            "postgres:///",
        ),
        *("postgres://h/n?", "postgres://h/two words", "postgres://h/c++"),
        *(
            "postgres://h/n?ssl=true",
            "postgres://h/n?schema=public",
            "sqlite:///:memory:",
        ),
        *("postgres://h/n?sslmode=on", "postgres://h/n?connect_timeout=abc"),
        *(
            "postgres://h/n?conn_max_age=600",
            "postgres://h/n?sslmode=require&pgbouncer=1",
        ),
        *("postgres://u:p%23a[s@h/n", "postgres://u:p]@h/n", "postgres://u:pä@h/n"),
    ],
    "DEBUG": BOOLEAN,
    "DEFAULT_FROM_EMAIL": [
        "noreply",
        "@example.com",
        "Ada <ada>",
        "a@b <c@d>",
        "a@b, c@d",
        *("Acme Inc. <a@b.c>", "Acme, Inc. <a@b.c>", "example.com <a@example.com>"),
        *("ü@example.com", "a,b@c", "a@b..c", "a.@b.c", "Acme: Support <a@b.c>"),
    ],
    "EMAIL_URL": [
        *(
            "smtp.example.com",
            "smtp.example.com:587",
            "smtps://h",
            "smtp://",
            "imap://h",
        ),
        *("smtp://user@h", "smtp://u:p#w@h", "smtp://h:99999", "smtp://h?use_tls=true"),
        *("smtp://u:p[w@h", "smtp://u:pä@h"),
    ],
    "JOBS_IN_WEB": BOOLEAN,
    "LOG_LEVELS": ["DEBUG", "access=LOUD", "access", "access=10", "a=INFO,b", "a:INFO"],
    "METRICS_ADDRESS": [
        "abc",
        "9101",
        ":9101",
        "127.0.0.1",
        "h:x",
        "h:91010",
        "h:0",
        "http://h:1",
    ],
    "POSTGRES_PASSWORD": ["p@ss", "p/ss", "p#ss", "p ss", "p%ss", "päss", "p$ss"],
    "REDIS_URL": [
        *(
            "127.0.0.1:6379",
            "localhost",
            "http://localhost",
            "redis://",
            "redis:h:6379",
        ),
        *("redis://h:99999", "redis://h/abc", "redis://:p#w@h", "redis://a, redis://b"),
        *("redis://a;redis://b", "redis://h 6379", "redis://:p;w@h", "redis://h:0"),
        *("redis://h?db=abc", "redis://h?socket_timeout=x", "redis://h?nonsense=1"),
        *("rediss://h?ssl_cert_reqs=maybe", "redis://:p[w@h", "redis://:pä@h"),
    ],
    "SECRET_KEY": RANDOM,
    "SECRET_KEY_FALLBACKS": RANDOM,
    "SECURE_HSTS_SECONDS": ["abc", "-1", "1.5", "3600s", "1_000", "9" * 30],
    "SENTRY_DSN": [
        *("sentry.example", "https://sentry.example/1", "https://key@h", "key@h/1"),
        *("https://key@h/abc", "https://key@h:99999/1", "ftp://key@h/1"),
    ],
    "SENTRY_ENVIRONMENT": ["a/b", "two words", "x" * 65],
    "SENTRY_RELEASE": ["a/b", "a\\b", "two words"],
    "SITE_DOMAIN": ["https://example.com", "example.com/", "a b", "a_b", "x" * 101],
    "TRUSTED_PROXY_COUNT": NUMBER,
    "USE_HTTPS_IN_ABSOLUTE_URLS": BOOLEAN,
    "WEBSOCKET_FRAMES_PER_SECOND": NUMBER,
    "WEBSOCKET_SOCKETS_PER_SECOND": NUMBER,
}
# Which part of a secret to check.
PARTS = [
    ("DATABASE_URL", "postgres://u:p@h:99999/n", "check its port."),
    ("DATABASE_URL", "postgres://a:5433,b:0/n", "check its port."),
    ("DATABASE_URL", "mysql://u:p@h/n", "check its scheme."),
    ("DATABASE_URL", "postgres:h/n", "check its scheme."),
    *(
        ("DATABASE_URL", url, "check its scheme.")
        for url in (
            *("postgres//u@h/n", "postgres:/u@h/n", "mysql2://x", "Postgres://x"),
            *("nonsense", "u:p@h/n", "h/n", "postgres:h:0", "://u:p@h"),
            *("sqlite:/", "sqlite://db.sqlite3", "sqlite//db.sqlite3", "db.sqlite3"),
        )
    ),
    ("DATABASE_URL", "postgres://u:p@h/n?sslmode=on", "check its options."),
    ("DATABASE_URL", "postgres://u:p#w@h/n", "check its user and password."),
    ("DATABASE_URL", "postgres://u:p@-h-!/n", "check its host."),
    ("DATABASE_URL", "postgres://u:p@h", "check its path."),
    ("DATABASE_URL", "sqlite:///C#.sqlite3", "check its path."),
    ("DATABASE_URL", "postgres://u:p@h/two words", "it has a space."),
    ("REDIS_URL", "redis://a, redis://b", "it has a space."),
    ("REDIS_URL", "redis://h/abc", "check its path."),
    ("REDIS_URL", "redis:///0", "check its host."),
    *(
        ("REDIS_URL", url, "check its scheme.")
        for url in (
            *("localhost", "127.0.0.1:6379", "localhost:6379", "redis:h:6379/x"),
            *("http://h/x", "redis//h:6379", "unix:/run/r.sock", "unix://run/r.sock"),
            *("redis://a,http://b", "redis://a,redis//b", "redis//a,redis://b"),
        )
    ),
    *(
        ("EMAIL_URL", url, "check its scheme.")
        for url in (
            *("imap://u:p@h", "imap://u@h", "smtp.example.com", "smtp//u:p@h"),
            *("h:587", "smtp+tls:u@h", "smtp-tls://u@h", "consolemail", "console://"),
        )
    ),
    ("EMAIL_URL", "smtp+tls://u@h", "check its user and password."),
    ("SENTRY_DSN", "https://sentry.example/1", "check its user and password."),
    *(
        ("SENTRY_DSN", url, "check its scheme.")
        for url in ("key@h/1", "https//key@h/1", "https:key@h", "ftp://h", "h")
    ),
    # These have the right scheme.
    ("DATABASE_URL", "postgres://h:0?ssl=on", "or sqlite:///f."),
    ("DATABASE_URL", "postgres:////h?ssl=on", "or sqlite:///f."),
    ("DATABASE_URL", "postgres://a:0,b/n?ssl=on", "or sqlite:///f."),
    ("EMAIL_URL", "smtp://u,x@h/abc", "@host:587."),
    ("EMAIL_URL", "consolemail://u@h/abc", "@host:587."),
    ("REDIS_URL", "redis://a,b/x", "host:6379/0."),
    ("SENTRY_DSN", "https://h", "https://key@host/1."),
    ("POSTGRES_PASSWORD", "p//ss", "letters and digits."),
    ("SECRET_KEY", "$a//b", "a long random word."),
    ("SECRET_KEY", "two words", "it has a space."),
]
RIGHT = [
    *((name, value) for name, value in EXAMPLES if value),
    *((name, f" {value} ") for name, value in EXAMPLES),
    *((name, "") for name in WRONG),
    *(
        ("DEBUG", value)
        for value in ("True", "yes", "ON", "1", "FALSE", "no", "off", "0")
    ),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", ".example.com,[::1],127.0.0.1,xn--bcher-kva.de"),
    (
        "CSRF_TRUSTED_ORIGINS",
        "https://*.example.com,http://localhost:3000,http://[::1]",
    ),
    ("DATABASE_URL", "sqlite:////tmp/My%20C%23%2050%25%3F.sqlite3?timeout=7"),
    (
        "DATABASE_URL",
        "postgresql://u:p%23@a:5433,b/n?sslmode=require&connect_timeout=3",
    ),
    ("DATABASE_URL", "postgres:////run/postgresql/n"),
    ("DATABASE_URL", "postgres:///n?host=/run/postgresql"),
    ("DATABASE_URL", "postgres://u:p%5B^{|}*,;:!$&'()+=~`\"<>@h/n?options=-c%20a=b"),
    ("DATABASE_URL", "postgres://h/n?sslmode=verify-full&sslrootcert=/ca.pem"),
    ("DATABASE_URL", "postgres://h/n?DISABLE_SERVER_SIDE_CURSORS=true"),
    *(
        ("DEFAULT_FROM_EMAIL", value)
        for value in ("Grüße <noreply@example.com>", '"Acme, Inc." <a.b+c@d-e.example>')
    ),
    *(("EMAIL_URL", url) for url in ("dummymail://", "consolemail://", "smtp://h:25")),
    ("EMAIL_URL", "smtp+ssl://ada@example.com:p%23@smtp.example.com:465"),
    ("LOG_LEVELS", "django.db=debug,access-log=Warning"),
    ("METRICS_ADDRESS", "my_host:65535"),
    (
        "REDIS_URL",
        "rediss://user:p%23@redis_1:6380/1?ssl_cert_reqs=none,unix:///run/r.sock?db=1",
    ),
    ("SECRET_KEY", "django-insecure-a$b#c%d^e&f*(g-_=+)"),
    ("SENTRY_DSN", "http://key@127.0.0.1:9000/path/7"),
    ("SITE_DOMAIN", "localhost:8000"),
]
# In a process of its own: the settings of this one are loaded.
LOAD = """
import json, os, runpy, sys
from django.core.exceptions import ImproperlyConfigured

given = dict(os.environ)
for name, value in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(given, **{name: value})
    try:
        runpy.run_path("config/settings.py")
        print(json.dumps(None))
    except ImproperlyConfigured as error:
        print(json.dumps(str(error)))
    except Exception as error:
        print(json.dumps(f"{type(error).__name__} {error}"))
"""


def clean() -> dict[str, str]:
    names = {name for name, _ in EXAMPLES} | {"PYTEST_VERSION"}
    return {name: value for name, value in os.environ.items() if name not in names}


@cache
def told() -> dict[tuple[str, str], str | None]:
    """What stops the start with each value, if anything."""
    cases = [
        *((name, value) for name in WRONG for value in WRONG[name]),
        *((name, value) for name, value, _ in PARTS),
        *RIGHT,
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=settings.BASE_DIR,
        env={**clean(), "SECRET_KEY": "any"},
        input=json.dumps(cases),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(zip(cases, map(json.loads, done.stdout.splitlines()), strict=True))


def test_every_variable_is_in_the_table() -> None:
    assert {name for name, _ in EXAMPLES} == WRONG.keys()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_explained(name: str) -> None:
    is_secret = re.search("DSN|KEY|PASSWORD|TOKEN|URL$", name)
    for value in WRONG[name]:
        sentence = told()[name, value] or "nothing"
        assert re.match(f"{name}(?: in the environment)?: expected ", sentence), value
        assert sentence.endswith(".")
        assert (repr(value) in sentence) == (not is_secret), value


def test_what_is_too_much_is_named() -> None:
    hosts = "expected a.com or a.com,.b.org (for *.b.org) without https://, port, / or"
    assert hosts in str(told()["ALLOWED_HOSTS", "a.com, b.com"])
    domain = "expected a.com or a.com:81, got 'https://example.com'"
    assert domain in str(told()["SITE_DOMAIN", "https://example.com"])
    for origin in ("https://example.com/", "https://Example.com", "https://a.com:443"):
        sentence = told()["CSRF_TRUSTED_ORIGINS", origin]
        assert "without capitals, / or :443, got" in str(sentence)
    several = told()["CSRF_TRUSTED_ORIGINS", "https://a.com https://b.com"]
    assert "expected https://a.com or https://a.com,https://b.org" in str(several)


@pytest.mark.parametrize(("name", "value", "part"), PARTS)
def test_the_wrong_part_of_a_secret_is_named(name: str, value: str, part: str) -> None:
    assert str(told()[name, value]).endswith(part)


def test_a_right_value_is_not() -> None:
    assert {case: told()[case] for case in RIGHT if told()[case]} == {}


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "check"),
        ("manage.py", "runserver", "--noreload"),
        ("manage.py", "shell", "--command", "pass"),
        ("manage.py", "startapp", "ab"),
        ("-m", "daphne", "config.asgi:application"),
        ("-m", "uvicorn", "config.asgi:application"),
    ],
    ids=" ".join,
)
def test_the_sentence_is_all_that_is_said(command: tuple[str, ...]) -> None:
    done = start(*command, DEBUG="app:*")

    assert done.returncode == 1
    sentence = "DEBUG in the environment: expected true or false, got 'app:*'."
    assert done.stderr == f"{sentence}\n"


RAISE = "from django.core import exceptions; raise exceptions.ImproperlyConfigured"


@pytest.mark.parametrize(
    ("command", "env", "error"),
    [
        (("shell", "--command", RAISE), {"DEBUG": "true"}, "ImproperlyConfigured"),
        (("check", "--settings", "none"), {"DEBUG": "true"}, "ModuleNotFoundError"),
        (("check", "--traceback"), {"DEBUG": "app:*"}, "ImproperlyConfigured"),
    ],
    ids=["of a command", "in the settings", "asked for"],
)
def test_any_other_error_has_its_traceback(
    command: tuple[str, ...], env: dict[str, str], error: str
) -> None:
    done = start("manage.py", *command, **env)

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert error in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("start_it", ["manage.py check", "-m daphne config.asgi:a"])
def test_an_app_that_is_wrong_has_its_traceback(tmp_path: Path, start_it: str) -> None:
    twice = "from config.settings import *\nINSTALLED_APPS += ['apps.web']\n"
    (tmp_path / "twice.py").write_text(twice)
    env = {"DJANGO_SETTINGS_MODULE": "twice", "PYTHONPATH": str(tmp_path)}

    done = start(*start_it.split(), **env, DEBUG="true")

    assert "Traceback" in done.stderr
    assert "labels aren't unique" in done.stderr.splitlines()[-1]


def start(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env={**clean(), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [("help",), ("help", "startapp"), ("--version",)])
def test_help_needs_no_settings(command: tuple[str, ...]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env={**clean(), "DEBUG": "app:*"},
        capture_output=True,
        check=True,
    )


SHOW = """
import json, sys
from pathlib import Path
from config import environment

env = environment.read(Path(sys.argv[1]))
print(json.dumps([env.str(name, default=None) for name in sys.argv[2:]]))
"""


def read(tmp_path: Path, text: str, *names: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / ".env").write_text(text, "utf-8")
    return show(tmp_path, *names)


def run_code(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=settings.BASE_DIR,
        env=clean(),
        capture_output=True,
        text=True,
        check=False,
    )


def show(tmp_path: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return run_code(SHOW, str(tmp_path / ".env"), *names)


def test_a_file_may_be_written_as_people_do(tmp_path: Path) -> None:
    text = (
        "\ufeff# Ours\r\n\n  DEBUG=true  \n   # no\nexport A='b # c'\nSECRET_KEY=a$b\n"
    )

    done = read(tmp_path, text, "DEBUG", "A", "SECRET_KEY")

    assert json.loads(done.stdout) == ["true", "b # c", "a$b"], done.stderr
    assert done.stderr == ""


def test_a_wrong_value_of_the_file_is_told_from_one_of_the_shell(
    tmp_path: Path,
) -> None:
    done = read(tmp_path, "DEBUG=app:*\nSECRET_KEY=two words\n")

    assert done.stderr.splitlines()[-1].endswith(
        f"DEBUG in {tmp_path / '.env'}: expected true or false, got 'app:*'."
    )


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DEBUG=true", "utf-16")
    done = show(tmp_path)

    assert done.stderr.splitlines()[-1].endswith(
        f"{tmp_path / '.env'}: expected UTF-8."
    )


@pytest.mark.parametrize("line", ["DEBUG = true", "DEBUG: true", "secret"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    done = read(tmp_path, f"\n{line}\n")

    assert done.stderr.splitlines()[-1].endswith(
        f"{tmp_path / '.env'}, line 2: expected NAME=value."
    )
    assert "secret" not in done.stderr.splitlines()[-1]


AGAIN = """
import json, os, subprocess, sys
from pathlib import Path
from config import environment
from django.core.exceptions import ImproperlyConfigured

file = Path(sys.argv[1])
environment.read(file)
file.write_text(sys.argv[2])
if sys.argv[3] == "here":
    env = environment.read(file)
    print(json.dumps([env.str(name, default=None) for name in sys.argv[4:]]))
else:
    command = [sys.executable, "-c", os.environ["SHOW"], file, *sys.argv[4:]]
    sys.exit(subprocess.run(command).returncode)
"""
PLACES = pytest.mark.parametrize("place", ["here", "in a process that was started"])


def read_again(
    tmp_path: Path, place: str, text: str, *names: str
) -> subprocess.CompletedProcess[str]:
    """Read a file, change it, and read it again, as `runserver` does."""
    file = tmp_path / ".env"
    file.write_text("DEBUG=true\nMINE=old\nGONE=old\nOURS=file\n")
    return subprocess.run(
        [sys.executable, "-c", AGAIN, str(file), text, place, *names],
        cwd=settings.BASE_DIR,
        env={**clean(), "SHOW": SHOW, "OURS": "shell"},
        capture_output=True,
        text=True,
        check=False,
    )


@PLACES
def test_a_file_that_has_changed_counts(tmp_path: Path, place: str) -> None:
    text = "DEBUG=false\nMINE=new\nOURS=new\n"
    done = read_again(tmp_path, place, text, "DEBUG", "MINE", "GONE", "OURS")

    assert json.loads(done.stdout) == ["false", "new", None, "shell"], done.stderr


WATCHED = """
import os, sys
from pathlib import Path
from django.utils.autoreload import StatReloader, autoreload_started
from config import environment

file = Path(sys.argv[1])
environment.read(file)
if sys.argv[2:]:
    os.utime(file, (1, 1))
reloader = StatReloader()
autoreload_started.send(sender=reloader)
print(file in reloader.watched_files())
"""


def test_runserver_watches_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nA=2\n")
    assert run_code(WATCHED, str(file)).stdout == "True\n"
    assert json.loads(show(tmp_path, "A").stdout) == ["2"]


def test_runserver_restarts_for_a_file_that_changed_while_it_started(
    tmp_path: Path,
) -> None:
    file = tmp_path / ".env"
    file.touch()
    done = run_code(WATCHED, str(file), "changed")
    # With this status, runserver starts again.
    assert (done.returncode, done.stdout) == (3, "")


@PLACES
def test_a_file_that_is_wrong_now_is_named(tmp_path: Path, place: str) -> None:
    done = read_again(tmp_path, place, "DEBUG=app:*\n")

    assert done.stderr.splitlines()[-1].endswith(
        f"DEBUG in {tmp_path / '.env'}: expected true or false, got 'app:*'."
    )


def test_a_command_names_the_file() -> None:
    """Django reads settings again that were wrong."""
    code = """if True:
        import sys
        from pathlib import Path
        Path.read_text = lambda *args: "DEBUG=app:*"
        from django.core.management import execute_from_command_line
        execute_from_command_line(["manage.py", "check"])
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**clean(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"DEBUG in {settings.BASE_DIR / '.env'}: " in done.stderr.splitlines()[-1]


CHECK = """
import json, sys
from pathlib import Path
from config import environment

env = environment.read(Path(sys.argv[1]))
env.str("REDIS_URL_2", default="")
found = environment.check_names() + environment.check_repeated()
print(json.dumps([[one.msg, one.hint] for one in found]))
"""


def warned(tmp_path: Path, *names: str) -> list[list[str]]:
    (tmp_path / ".env").write_text("".join(f"{name}=1\n" for name in names))
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(tmp_path / ".env")],
        cwd=settings.BASE_DIR,
        env=clean(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("SECRETKEY", "SECRET_KEY"),
        ("Debug", "DEBUG"),
        ("TRUSTED_ORIGINS", "CSRF_TRUSTED_ORIGINS"),
        ("LOG_LEVEL", "LOG_LEVELS"),
    ],
)
def test_a_misspelled_name_is_named(tmp_path: Path, name: str, meant: str) -> None:
    assert warned(tmp_path, name) == [
        [
            f"The settings do not read {name}, which is in .env.",
            f"Did you mean {meant}?",
        ]
    ]


def test_a_name_that_is_set_twice_is_named(tmp_path: Path) -> None:
    names = ("ALLOWED_HOSTS", "DEBUG", "# DEBUG", "export ALLOWED_HOSTS", "REDIS_URL_2")
    assert warned(tmp_path, *names) == [
        [
            "ALLOWED_HOSTS is set more than once in .env, and the last value counts.",
            "Write one line. Separate several values by commas.",
        ]
    ]


def test_names_of_the_settings_and_of_others_are_not(tmp_path: Path) -> None:
    others = (
        *("PORT", "WEB_CONCURRENCY", "PYTHONPATH", "PYTHONUNBUFFERED", "HTTPS_PROXY"),
        *("COMPOSE_PROJECT_NAME", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PORT"),
        *("PGPASSWORD", "MEDIA_URL", "BASE_URL", "API_URL", "DJANGO_DEBUG"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("OPENAI_API_KEY", "STRIPE_SECRET_KEY", "UV_PYTHON", "UVICORN_LOG_LEVEL"),
        *("SENTRY_TRACES_SAMPLE_RATE", "SSL_CERT_FILE", "DJANGO_SETTINGS_MODULE"),
    )
    assert warned(tmp_path, "DEBUG", "REDIS_URL_2", *others) == []


def test_a_name_like_one_that_is_set_is_not(tmp_path: Path) -> None:
    assert warned(tmp_path, "SECRET_KEY", "S3_SECRET_KEY") == []


def test_tests_see_the_places_of_servers_alone(tmp_path: Path) -> None:
    given = [*EXAMPLES, ("OURS", "1")]
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in given if value))

    code = f"""
from pathlib import Path
from config import environment

env = environment.read(Path({str(file)!r}), is_test=True)
print(*sorted(env.ENVIRON.keys() & {{*{[name for name, _ in given]!r}}}))
"""
    done = run_code(code)

    seen = ["DATABASE_URL", "DEBUG", "JOBS_IN_WEB", "OURS", "REDIS_URL"]
    assert done.stdout.split() == seen
