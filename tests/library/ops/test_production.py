"""The settings as they are in production, read by a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

PRODUCTION = {
    "BEHIND_PROXY": "true",
    "DATABASE_URL": "sqlite:///test.sqlite3",
    "DEBUG": "false",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2,
    "SECRET_KEY_FALLBACKS": "zyxwvutsrqponmlkjihgfedcba" * 2,
}
# What a developer's own settings may say otherwise.
DEFAULT = ("ALLOWED_HOSTS", "SECURE_HSTS_SECONDS", "USE_HTTPS_IN_ABSOLUTE_URLS")
HTTPS_ONLY = (
    *("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"),
    "SECURE_HSTS_SECONDS",
)
READ = """
import json
import sys
from django.conf import settings
from django.core.management import call_command

call_command("check", deploy=True, fail_level="WARNING")
names = [name for name in dir(settings) if name.isupper()]
values = {name: getattr(settings, name) for name in names}
values["modules"] = list(sys.modules)
print(json.dumps(values, default=str))
"""


@pytest.fixture(scope="module")
def production() -> Any:
    """Every setting; `check --deploy` is content with them."""
    env = {name: value for name, value in os.environ.items() if name not in DEFAULT}
    # What is set wins over .env, which may have them too.
    env |= {"ALLOWED_HOSTS": "example.org", "USE_HTTPS_IN_ABSOLUTE_URLS": "true"}
    done = run_python(
        *("manage.py", "shell", "--no-imports", "-c", READ), env=env | PRODUCTION
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def run_python(
    *arguments: str, env: dict[str, str], cwd: Path = settings.BASE_DIR
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={name: env[name] for name in env.keys() - {"PYTEST_VERSION"}},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_deploy_has_nothing_to_say(production: Any) -> None:
    assert production["DEBUG"] is False


def test_cookies_are_of_this_host_and_https_alone(production: Any) -> None:
    for kind in ("SESSION", "CSRF"):
        assert production[f"{kind}_COOKIE_NAME"].startswith("__Host-")
        assert production[f"{kind}_COOKIE_SECURE"]
        assert production[f"{kind}_COOKIE_HTTPONLY"]
        assert production[f"{kind}_COOKIE_SAMESITE"] == "Lax"
        assert production[f"{kind}_COOKIE_DOMAIN"] is None
        assert production[f"{kind}_COOKIE_PATH"] == "/"


def test_https_is_insisted_on(production: Any) -> None:
    assert production["SECURE_SSL_REDIRECT"]
    assert production["SECURE_HSTS_SECONDS"] >= 180 * 24 * 60 * 60
    assert production["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_http_is_served_beside_a_tunnel_in_development() -> None:
    own = {"DEBUG": "true", "USE_HTTPS_IN_ABSOLUTE_URLS": "true"}
    print_them = f"""
from django.conf import settings

print(*(getattr(settings, name) for name in {HTTPS_ONLY}), settings.SESSION_COOKIE_NAME)
"""
    command = ("manage.py", "shell", "--no-imports", "-c", print_them)
    done = run_python(*command, env=os.environ | PRODUCTION | own)
    assert done.stdout.split() == ["False", "False", "False", "0", "sessionid"]


def test_one_proxy_is_believed_unless_told_how_many(production: Any) -> None:
    assert production["TRUSTED_PROXY_COUNT"] == 1


def test_keys_can_be_replaced_without_ending_sessions(production: Any) -> None:
    old = PRODUCTION["SECRET_KEY_FALLBACKS"]
    assert production["SECRET_KEY_FALLBACKS"] == [old]


def test_what_is_counted_is_counted_for_all_processes(production: Any) -> None:
    assert production["CACHES"]["default"]["LOCATION"] == PRODUCTION["REDIS_URL"]
    layers = production["CHANNEL_LAYERS"]
    assert layers["default"]["BACKEND"] == "channels_redis.core.RedisChannelLayer"
    assert "RedisPubSub" in layers["channels_live"]["BACKEND"]


@pytest.mark.parametrize(
    ("url", "given", "ours"),
    [
        (
            "postgres://u:p@db/n?sslmode=verify-full&sslrootcert=/ca.pem",
            {"sslmode": "verify-full", "sslrootcert": "/ca.pem"},
            "pool",
        ),
        ("sqlite:///a.sqlite3?timeout=7", {"timeout": 7}, "transaction_mode"),
    ],
    ids=["postgresql", "sqlite"],
)
def test_options_in_the_address_of_the_database_count(
    url: str, given: dict[str, Any], ours: str
) -> None:
    code = """if True:
        import json
        from config.settings import DATABASES
        print(json.dumps(DATABASES["default"]["OPTIONS"], default=str))
    """
    env = os.environ | PRODUCTION | {"DATABASE_URL": url}
    options = json.loads(run_python("-c", code, env=env).stdout)
    assert options.items() >= given.items()
    assert ours in options


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "db.sqlite3"),
        ("sqlite:///other.sqlite3", "other.sqlite3"),
        ("sqlite:////var/My%20C%23%2050%25%3F%2B.sqlite3", "/var/My C# 50%?+.sqlite3"),
    ],
)
def test_a_file_of_sqlite_lies_where_it_is_said_to(
    url: str, path: str, tmp_path: Path
) -> None:
    code = "from config.settings import DATABASES as d; print(d['default']['NAME'])"
    elsewhere = {"DATABASE_URL": url, "PYTHONPATH": str(settings.BASE_DIR)}

    done = run_python("-c", code, env=os.environ | PRODUCTION | elsewhere, cwd=tmp_path)

    assert done.stdout.strip() == str(settings.BASE_DIR / path)


def test_without_an_address_sentry_is_not_even_imported(production: Any) -> None:
    assert "apps.ops.logs" in production["modules"]
    assert "sentry_sdk" not in production["modules"]
