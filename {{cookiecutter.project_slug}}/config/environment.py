"""Reads variables strictly: a wrong value stops the start with a sentence."""

import json
import os
import re
from collections import Counter
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

import environ
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.autoreload import autoreload_started, trigger_reload

BOOLEAN = r"(?i:true|false|yes|no|on|off|1|0)"
NUMBER = r"[1-9]\d{0,8}"
RANDOM = r"[!-#%-~][!-~]*"  # django-environ looks elsewhere for what begins with $
PORT = r":(?!0)([1-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
HOST = r"([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[\da-fA-F:.]+\])"
HOSTS = "a.com or a.com,.b.org (for *.b.org) without https://, port, / or spaces"
SERVER = rf"([\w.-]+|\[[\da-fA-F:.]+\])({PORT})?"  # my_redis too
# As browsers send it: in small letters, without the port that its scheme has anyway.
ORIGIN = (
    r"(?![^,]*[A-Z]|https:[^,]*:443(,|$)|http:[^,]*:80(,|$))"
    rf"https?://(\*\.)?{HOST}({PORT})?"
)
ORIGINS_LIKE = (
    "https://a.com or https://a.com,https://b.org without capitals, / or :443"
)
ORIGINS = f"{ORIGIN}(,{ORIGIN})*"
WORD = r"((?![/?#@[\]])[!-~])+"  # a name or password in a URL
POSTGRES_OPTION = (
    r"(sslmode=(disable|allow|prefer|require|verify-ca|verify-full)"
    r"|(connect_timeout|keepalives\w*|tcp_user_timeout)=\d+|ssl\w*(cert|key)=[^\s#&]+"
    r"|(application_name|channel_binding|gssencmode|host|options|service)=[^\s#&]+"
    r"|target_session_attrs=[a-z-]+|DISABLE_SERVER_SIDE_CURSORS=true)"
)
DATABASE = (
    rf"postgres(ql)?://(({WORD})?@)?({SERVER}(,{SERVER})*)?/(/[^\s?#@+]+/)?[^\s/?#@+]+"
    rf"(\?{POSTGRES_OPTION}(&{POSTGRES_OPTION})*)?"
    r"|sqlite:///(?!:memory:)([^\s?#+%]|%[\da-fA-F]{2})+(\?timeout=\d+)?"
)
REDIS_OPTION = (
    r"(db=\d+|protocol=[23]|ssl_cert_reqs=(none|optional|required)"
    r"|ssl_check_hostname=(true|false)|ssl_(ca_certs|certfile|keyfile)=[^\s#&,;]+)"
)
REDIS = (
    rf"(rediss?://((?![^@]*[,;])({WORD})?@)?{SERVER}(/\d*)?|unix:///[^\s?#,;]+)"
    rf"(\?{REDIS_OPTION}(&{REDIS_OPTION})*)?"
)
SMTP = rf"smtp(\+tls|\+ssl)?://({WORD}(@{WORD})?:{WORD}@)?{SERVER}/?"
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
NAME = r'("[^"\\<>@]+"|[^<>@"().,:;\\[\]]+) ?'  # "Acme, Inc." or Ada
MAILBOX = rf"({NAME}<)?{ATOM}(\.{ATOM})*@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*(?(1)>)"
LEVEL = r"[^\s=,]+=(?i:debug|info|warning|error|critical)"
# % if cookiecutter.include_chat_demo
CHAT_RATE = r"\d+ per ([1-9]\d* )?(second|minute|hour|day)s?"
# % endif

# The variables of .env.example, an example of what they hold, and its pattern.
SHAPES = (
    ("DEBUG BEHIND_PROXY JOBS_IN_WEB", "true or false", BOOLEAN),
    ("USE_HTTPS_IN_ABSOLUTE_URLS", "true or false", BOOLEAN),
    ("SECRET_KEY SECRET_KEY_FALLBACKS", "a long random word", RANDOM),
    ("POSTGRES_PASSWORD", "letters and digits", r"[\w.~-]+"),
    ("DATABASE_URL", "postgres://u:p%23@h/n?sslmode=require or sqlite:///f", DATABASE),
    ("REDIS_URL", "redis://:p%23ss@host:6379/0", f"{REDIS}(,{REDIS})*"),
    ("ALLOWED_HOSTS", HOSTS, rf"(\*|\.?{HOST})(,\.?{HOST})*"),
    ("SITE_DOMAIN", "a.com or a.com:81", r"(?=.{1,100}$)" + f"{HOST}({PORT})?"),
    ("CSRF_TRUSTED_ORIGINS", ORIGINS_LIKE, ORIGINS),
    ("SECURE_HSTS_SECONDS", "a number of seconds", r"\d{1,9}"),
    ("WEBSOCKET_SOCKETS_PER_SECOND TRUSTED_PROXY_COUNT", "1 or more", NUMBER),
    ("WEBSOCKET_FRAMES_PER_SECOND", "1 or more", NUMBER),
    # % if cookiecutter.include_chat_demo
    ("CHAT_FLOOD_LIMIT CHAT_ROOM_LIMIT", "10 per 5 seconds", CHAT_RATE),
    # % endif
    ("METRICS_ADDRESS", "127.0.0.1:9101", rf"[\w.-]+{PORT}"),
    ("EMAIL_URL", "smtp+tls://user:p%23ss@host:587", rf"{SMTP}|(console|dummy)mail://"),
    ("DEFAULT_FROM_EMAIL", '"Acme Inc." <noreply@example.com>', MAILBOX),
    ("LOG_LEVELS", "access=WARNING,django=DEBUG", f"{LEVEL}(,{LEVEL})*"),
    ("SENTRY_DSN", "https://key@host/1", rf"https?://\w+(:\w+)?@{SERVER}/(\S+/)?\d+"),
    ("SENTRY_ENVIRONMENT SENTRY_RELEASE", "a word without slashes", r"[^\s/\\]{1,64}"),
)
ADDED = "ADDED_BY_DOTENV"  # what the file has added to the environment
PARTS = ("scheme", "user and password", "host", "port", "path", "options")
URL = r"([\w+]*:/?/?)(.*@|)(\[[^]]*\]|[^:/?]*)(:[^/?]*|)(/[^?]*|)(\?.*|)"
START = r"(?:^|,(?=\w+:?//))([^/]*/{0,3})"  # of each URL in a list
SECRET = re.compile("DSN|KEY|PASSWORD|TOKEN|URL$")
repeated: list[str] = []
known = {name for names, *_ in SHAPES for name in names.split()}
# While tests run, of these variables the places of servers count, and development's defaults.
UNSEEN_BY_TESTS = known - {"DATABASE_URL", "REDIS_URL"}
IN_TESTS = {"DEBUG": "true", "JOBS_IN_WEB": "false"}


class Variables(dict[str, str]):
    """Makes known which variables the settings ask for."""

    def __getitem__(self, name: str) -> str:
        known.add(name)
        return super().__getitem__(name)


def read(file: Path, *, is_test: bool = False) -> environ.Env:
    """Return the environment and what a file adds. No error shows what may be secret.

    Raises ImproperlyConfigured for a wrong value.
    """

    seen = changed_at(file)

    def watch(sender: Any, **kwargs: object) -> None:
        sender.watch_dir(file.parent, file.name)
        if changed_at(file) != seen:  # while runserver was starting
            trigger_reload(str(file))

    # So that runserver starts again when the file changes.
    autoreload_started.connect(watch, weak=False, dispatch_uid=__name__)
    try:
        text = file.read_text("utf-8-sig") if file.exists() else ""
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file}: expected UTF-8.") from None
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        if line and not re.match(r"#|(export )?\w+=", line):
            raise ImproperlyConfigured(f"{file}, line {number}: expected NAME=value.")
    set_here = re.findall(r"^(?:export )?(\w+)=", "\n".join(lines), re.MULTILINE)
    repeated[:] = [name for name, count in Counter(set_here).items() if count > 1]
    # By an earlier reading, of this process or of the one that started it.
    for name, value in json.loads(os.environ.pop(ADDED, "{}")).items():
        if os.environ.get(name) == value:
            del os.environ[name]
    env = environ.Env()
    shell = dict(os.environ)
    env.read_env(StringIO("\n".join(lines)))
    os.environ[ADDED] = json.dumps(dict(os.environ.items() - shell.items()))
    env.ENVIRON = Variables({k: v.strip() for k, v in os.environ.items() if v.strip()})
    for names, expected, pattern in SHAPES:
        for name in names.split():
            value = env.ENVIRON.get(name)
            if value and not re.fullmatch(pattern, value, re.ASCII):
                got = f", got {value!r}"
                if SECRET.search(name):
                    got = wrong_part(value, expected, pattern)
                place = "the environment" if name in shell else file
                raise ImproperlyConfigured(
                    f"{name} in {place}: expected {expected}{got}."
                )
    if is_test:
        for name in UNSEEN_BY_TESTS:
            env.ENVIRON.pop(name, None)
        env.ENVIRON.update(IN_TESTS)
    return env


def changed_at(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


def wrong_part(value: str, expected: str, pattern: str) -> str:
    """Return what to check in a secret: what alone is wrong in it, or its scheme."""
    if re.search(r"\s", value):
        return "; it has a space"
    right = (expected.partition("//")[0] + "//", "u:1@", "h", "", "/1", "")
    if parts := re.fullmatch(URL, value):
        for number, part in enumerate(PARTS, start=1):
            start, end = parts.span(number)
            url = value[:start] + right[number - 1] + value[end:]
            if re.fullmatch(pattern, url, re.ASCII):
                return f"; check its {part}"
    if "//" in expected:
        for start in re.findall(START, value):
            urls = (start + rest for rest in ("u:1@h/1", "u:1@h", "f", ""))
            if not any(re.fullmatch(pattern, url, re.ASCII) for url in urls):
                return "; check its scheme"
    return ""


@checks.register
def check_names(**kwargs: object) -> list[checks.CheckMessage]:
    """Warn of names in .env that look like one that is not set."""
    added = json.loads(os.environ.get(ADDED, "{}"))
    unset = sorted(name for name in known if not os.environ.get(name))
    return [
        checks.Warning(
            f"The settings do not read {name}, which is in .env.",
            hint=f"Did you mean {similar[0]}?",
            id="config.W001",
        )
        for name in sorted(added.keys() - known)
        if (similar := get_close_matches(name.upper(), unset, 1, 0.85))
    ]


@checks.register
def check_repeated(**kwargs: object) -> list[checks.CheckMessage]:
    """Warn of names that .env sets twice."""
    return [
        checks.Warning(
            f"{name} is set more than once in .env, and the last value counts.",
            hint="Write one line. Separate several values by commas.",
            id="config.W002",
        )
        for name in repeated
    ]
