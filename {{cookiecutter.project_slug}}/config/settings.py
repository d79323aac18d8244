"""Settings of this project. Those that differ between machines come from the environment.

.env.example lists every variable.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent

# Tests start no jobs, serve no metrics and report no errors, whatever .env says.
IS_TEST = "PYTEST_VERSION" in os.environ or sys.argv[1:2] == ["test"]
env = environment.read(BASE_DIR / ".env", is_test=IS_TEST)

# What this project is

PROJECT_NAME = "{{ cookiecutter.__project_name }}"
PROJECT_DESCRIPTION = "{{ cookiecutter.__description }}"
PRODUCTION_DOMAIN = "{{ cookiecutter.domain_name }}"
# % if cookiecutter.include_chat_demo
NAVIGATION: list[tuple[str, str]] = [
    ("Chat", "chat:index"),
]

# % else
NAVIGATION: list[tuple[str, str]] = []

# % endif
# Core

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str(
    "SECRET_KEY",
    default="insecure-and-only-for-development" if DEBUG else "",
)
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY: expected a long random word, in the environment or in .env."
    )
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if DEBUG else [PRODUCTION_DOMAIN])
if DEBUG:
    ALLOWED_HOSTS += [".localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    # First, because it has the commands runserver, for WebSockets too, and runworker.
    "channels_live",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "django_ox",
    "servestatic",
    # % if cookiecutter.include_chat_demo and cookiecutter.chat_client == "htmx"
    "django_htmx",
    # % endif
    "apps.ops",
    "apps.users",
    "apps.web",
    # % if cookiecutter.include_chat_demo
    "apps.chat",
    # % endif
]

MIDDLEWARE = [
    "apps.ops.probes.answer_probes",
    "apps.ops.requests.log_requests",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

# Open pages reload themselves under runserver; `uv sync --no-dev` does not install that.
BROWSER_RELOAD = (
    DEBUG and "RUN_MAIN" in os.environ and find_spec("django_browser_reload")
)
if BROWSER_RELOAD:
    INSTALLED_APPS += ["django_browser_reload"]
    MIDDLEWARE += ["django_browser_reload.middleware.BrowserReloadMiddleware"]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csp",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.web.context_processors.site",
            ],
        },
    },
]

# Data

_database = env.db_url("DATABASE_URL", default="sqlite:///db.sqlite3")
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["NAME"] = BASE_DIR / _database["NAME"]
    if _database["NAME"].is_dir() or not _database["NAME"].parent.is_dir():
        raise ImproperlyConfigured(
            f"DATABASE_URL: expected {_database['NAME']} to be a file, in a folder that "
            "exists."
        )
    # Threads cannot share a database that is in memory.
    _database["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}
    # Readers do not wait for the writer, and writers wait for each other.
    _options: dict[str, object] = {
        "init_command": "PRAGMA journal_mode=WAL",
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
    }
else:
    from config.postgresql import LimitedConnection, as_options, check_connection

    # In seconds, for all processes: if one is lost, the server releases its locks.
    DATABASE_LIMITS = {
        "tcp_keepalives_idle": 60,
        "tcp_keepalives_interval": 15,
        "tcp_user_timeout": 120,
        "idle_in_transaction_session_timeout": 600,
    }
    # For web processes. Statements of commands have no time limit.
    WEB_DATABASE_LIMITS = DATABASE_LIMITS | {
        "lock_timeout": 5,
        "statement_timeout": 10,
        "idle_in_transaction_session_timeout": 30,
    }
    _options = {
        "options": as_options(DATABASE_LIMITS),
        "pool": {
            "min_size": 1,
            "max_size": 10,
            "timeout": 3,  # seconds
            # By default, the pool doubles its pause after each failed attempt.
            "reconnect_timeout": 2,
            "check": check_connection,
            "connection_class": LimitedConnection,
        },
        # Detect a server that is gone.
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,  # milliseconds
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
    }
# Options in DATABASE_URL, such as sslmode, override these.
_database["OPTIONS"] = _options | _database.get("OPTIONS", {})
DATABASES = {"default": _database}

REDIS_URLS = env.list("REDIS_URL", default=[])
# Keeps projects apart that share a Redis.
REDIS_PREFIX = "{{ cookiecutter.project_slug }}"
if REDIS_URLS:
    from redis.connection import parse_url

    _number = parse_url(REDIS_URLS[0]).get("db", 0)  # type: ignore[no-untyped-call]
    _layer = {
        # Waiting for a message has no timeout; pings detect a dead connection.
        "hosts": [
            {"address": url, "socket_timeout": None, "health_check_interval": 5}
            for url in REDIS_URLS
        ],
        # Pub/sub ignores the number of the database.
        "prefix": f"{REDIS_PREFIX}.{_number}:",
    }
    CHANNEL_LAYERS = {
        # For plain Channels consumers, workers and send().
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": _layer,
        },
        # For channels_live, which needs pub/sub only.
        "channels_live": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": _layer,
        },
    }
    CACHES = {
        "default": {
            "BACKEND": "apps.ops.cache.Cache",
            "LOCATION": REDIS_URLS[0],
            "KEY_PREFIX": REDIS_PREFIX,
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
        "channels_live": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000},
        },
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # By default 300: then Django would drop counted login attempts.
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }

# % if cookiecutter.include_chat_demo
# In apps.chat, messages of one person and rooms that they create.
CHAT_FLOOD_LIMIT = env.str("CHAT_FLOOD_LIMIT", default="10 per 5 seconds")
CHAT_ROOM_LIMIT = env.str("CHAT_ROOM_LIMIT", default="20 per hour")
# % endif
# The site's address

SITE_ID = 1
SITE_DOMAIN = env.str(
    "SITE_DOMAIN", default="localhost:8000" if DEBUG else PRODUCTION_DOMAIN
)
USE_HTTPS_IN_ABSOLUTE_URLS = env.bool("USE_HTTPS_IN_ABSOLUTE_URLS", default=not DEBUG)

# Users

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["apps.users.accounts.OneHashBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "apps.users.accounts.AccountAdapter"
ACCOUNT_FORMS = {"signup": "apps.users.accounts.SignupForm"}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
# Letters of other alphabets may look alike.
ACCOUNT_USERNAME_VALIDATORS = "apps.users.accounts.USERNAME_VALIDATORS"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
# Signing up does not reveal whose e-mail address is known.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_RATE_LIMITS = {
    # For an IP address, and for a user from one IP address or known browser.
    "login_failed": "10/m/ip,5/5m/key,20/d/key",
    # For a user from all browsers together in which they have not logged in yet.
    "login_failed_elsewhere": "100/d/key",
}
# So that users can log in although others have used up their attempts.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True

# E-mail

env.EMAIL_SCHEMES["consolemail"] = "apps.ops.mail.Console"
_email = env.email_url(
    "EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25"
)
MAILERS = {"default": {"BACKEND": _email["EMAIL_BACKEND"]}}
if _email["EMAIL_HOST"]:
    MAILERS["default"] = {
        "BACKEND": "apps.ops.mail.Backend",
        "OPTIONS": {
            "host": _email["EMAIL_HOST"],
            "port": _email["EMAIL_PORT"],
            "username": _email["EMAIL_HOST_USER"],
            "password": _email["EMAIL_HOST_PASSWORD"],
            "use_tls": _email.get("EMAIL_USE_TLS", False),
            "use_ssl": _email.get("EMAIL_USE_SSL", False),
            "timeout": 10,
        },
    }
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=f"noreply@{PRODUCTION_DOMAIN}"
)

# Background jobs: docs/jobs.md

TASKS = {
    "default": {
        "BACKEND": "django_ox.backend.OxBackend",
        "QUEUES": ["default", "mail"],
        # Seconds until the jobs of a process that died start again.
        "OPTIONS": {"LOCK_TIMEOUT": 30, "WORKER_CLASS": "apps.ops.jobs.JobWorker"},
    }
}
JOBS_IN_WEB = env.bool("JOBS_IN_WEB", default=True)

# Language and time

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# % if cookiecutter.include_chat_demo
URLIZE_ASSUME_HTTPS = True  # where apps.chat shows www.example.org
# % endif
TIME_ZONE = "{{ cookiecutter.timezone }}"

# Static files: hashed and compressed in production, unchanged in development

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {
            "BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"
        },
    }

# Security

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],  # includes WebSockets of this host
    "manifest-src": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_ROOT = BASE_DIR / "static" / "site_root"  # /favicon.ico, and so on
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "apps.ops.requests.csrf_failure"
# In development, http://localhost works beside a tunnel with HTTPS.
HTTPS_ONLY = USE_HTTPS_IN_ABSOLUTE_URLS and not DEBUG
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
if HTTPS_ONLY:
    # Browsers accept cookies with this prefix from this host only, over HTTPS.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_SSL_REDIRECT = HTTPS_ONLY
PASSWORD_RESET_TIMEOUT = 3600  # seconds
# HSTS for subdomains, and browsers' preload lists, affect other sites: you decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1) if BEHIND_PROXY else 0

# WebSockets: channels_live/README.md lists all keys and their defaults.

CHANNELS_LIVE = {
    "CHANNEL_LAYER": "channels_live",
    "FRAMES_PER_SECOND": env.int("WEBSOCKET_FRAMES_PER_SECOND", default=20),
    "SOCKETS_PER_SECOND": env.int("WEBSOCKET_SOCKETS_PER_SECOND", default=3),
}

TEST_RUNNER = "channels_live.runner.Runner"  # of manage.py test

# Operations: apps.ops

METRICS_ADDRESS = env.str("METRICS_ADDRESS", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
LOG_LEVELS = env.dict("LOG_LEVELS", default={})
LOGGING_CONFIG = "apps.ops.logs.configure"  # also reads LOG_LEVELS and SENTRY_DSN
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"calm": {"()": "apps.ops.logs.Calm"}},
    "formatters": {
        "json": {"()": "apps.ops.logs.JSONFormatter"},
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["calm"],
            "formatter": "line" if DEBUG else "json",
        },
        "none": {"class": "logging.NullHandler"},
    },
    "loggers": {
        # channels_live logs an outage once; these would log it every second.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        "psycopg.pool": {"level": "CRITICAL"},
        # Nothing is logged twice.
        "django": {"handlers": []},
        "django.request": {"level": "ERROR"},  # the access log has all requests
        "django.tasks": {"level": "WARNING"},  # django_ox logs how they end
        "django_ox": {"handlers": ["none"]},  # it would add one of its own
        # % if cookiecutter.asgi_server == "uvicorn"
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.access": {"handlers": [], "propagate": False},
        # % endif
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}
