"""What a WebSocket passes before it reaches a consumer: who may open it, and where to.

Each opening costs queries, and where the page has missed much, the rendering of it.
Browsers that are refused come back by themselves.
"""

import logging
from collections.abc import Sequence
from importlib import import_module
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, cast

from channels.routing import URLRouter
from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.urls import re_path
from django.utils.http import is_same_domain
from django.utils.translation import get_language_from_request, override

from channels_live import conf
from channels_live.base.asgi import Application, Event, Receive, Scope, Send, get_header
from channels_live.base.budget import Budget
from channels_live.base.close_code import CloseCode
from channels_live.base.work import in_thread
from channels_live.commands import disconnect
from channels_live.delivery.socket import Socket
from channels_live.observe.log_context import LogContext
from channels_live.observe.outage import database_outage
from channels_live.process import get_process
from channels_live.revocation import Login, load_user

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10
# As many visitors as this may share an address.
VISITORS = 10


def websocket_application(patterns: Sequence[Any]) -> Application:
    """Return an ASGI application for the routes of channels_urls.py.

    It refuses foreign origins, unknown paths and whoever opens too many sockets, puts
    `session` and `user` into the scope, and has every consumer's socket counted,
    logged, limited, and closed when the login that opened it ends.
    """
    router: Any = URLRouter([*patterns, re_path(r"", cast(Any, unknown_path))])
    openings = Budget(WINDOW)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        process = get_process()
        socket = Socket(scope, receive, send)
        LogContext.current.set(SocketContext(socket))
        process.sockets.add(socket)
        try:
            if process.is_ending:
                raise Refusal("the process ends")
            check_origin(scope)
            socket.scope = cast(Scope, dict(scope, socket=socket))
            await authenticate(socket.scope, openings)
            await process.start()
            login = Login(process.registry, socket)

            async def hear() -> Event:
                if ended := login.follow():
                    disconnect(session=ended)
                return await socket.receive()

            with override(get_language(socket.scope)):
                await router(without_mount(socket.scope), hear, socket.send)
        except Refusal as refusal:
            await socket.receive()
            await socket.close(CloseCode.NORMAL_CLOSURE, reason=str(refusal))
        except Exception as error:
            if not (socket.is_lost and isinstance(error, OSError)):
                logger.exception("A consumer has failed.")
                await socket.close(CloseCode.INTERNAL_ERROR)
        finally:
            socket.end("left", CloseCode.ABNORMAL_CLOSURE)
            socket.outbox.close()
            process.registry.remove(socket)
            process.sockets.discard(socket)

    return application


class SocketContext(LogContext):
    """Of the lines of a WebSocket."""

    def __init__(self, socket: Socket) -> None:
        client, _ = socket.scope.get("client") or ("", 0)
        request_id = get_header(socket.scope, b"x-request-id")
        path = socket.scope["path"]
        super().__init__(path=path, client=client, request_id=request_id)
        self.socket = socket

    @property
    def session(self) -> Any:
        return self.socket.scope.get("session")


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    raise Refusal("unknown path")


def without_mount(scope: Scope) -> Scope:
    """Take off what a site is mounted at, as Django does for HTTP."""
    mount = (settings.FORCE_SCRIPT_NAME or scope.get("root_path") or "").rstrip("/")
    path = scope["path"]
    if path.startswith(f"{mount}/"):
        path = path.removeprefix(mount)
    return cast(Scope, dict(scope, path=path, root_path=""))


def get_language(scope: Scope) -> str:
    """Return the language of the page that opened a socket, as Django tells it.

    LocaleMiddleware goes by a cookie and by what the browser asks for; a handshake has
    both.
    """
    request = HttpRequest()
    request.COOKIES = scope["cookies"]
    request.META["HTTP_ACCEPT_LANGUAGE"] = get_header(scope, b"accept-language")
    return get_language_from_request(request)


class Refusal(Exception):
    """Raised where a socket is not let in. The reason is for the log alone."""


def check_origin(scope: Scope) -> None:
    """Refuse sockets that a page of another site opens, or no page at all.

    As Django asks of forms: the Origin header has to be the address that the socket
    itself is opened at, or one of CSRF_TRUSTED_ORIGINS.
    """
    origin, host = get_header(scope, b"origin"), get_header(scope, b"host")
    if not is_allowed_origin(origin, host):
        raise Refusal("another origin" if origin else "no origin")


def is_allowed_origin(origin: str, host: str) -> bool:
    if any(is_same_origin(origin, one) for one in settings.CSRF_TRUSTED_ORIGINS):
        return True
    schemes = ["https"] if settings.USE_HTTPS_IN_ABSOLUTE_URLS else ["http", "https"]
    if origin.lower() not in [f"{scheme}://{host.lower()}" for scheme in schemes]:
        return False
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_same_origin(origin: str, pattern: str) -> bool:
    """Whether an origin is the pattern, which may be as in https://*.example.com."""
    scheme, _, domain = origin.partition("://")
    pattern_scheme, _, pattern_domain = pattern.partition("://")
    return scheme == pattern_scheme and is_same_domain(
        domain, pattern_domain.removeprefix("*")
    )


async def authenticate(scope: Scope, openings: Budget) -> None:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Whoever opens sockets in a loop is refused: a session before it is looked up, a
    person whatever the number of their sessions, and everybody else by address.
    """
    cookies = parse_cookie(get_header(scope, b"cookie"))
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    limit = conf.get("SOCKETS_PER_SECOND")
    if key and openings.excess(("session", key), limit) > 0:
        raise Refusal("too many sockets")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(None if "\0" in key else key)
    user = None
    with database_outage.noticed():
        # One hop for session and user together; Channels' own stack takes two.
        user = await in_thread(load_user)(session)
    if user is None:
        raise Refusal("the database is away")
    if user.is_authenticated:
        excess = openings.excess(who := ("user", user.pk), limit)
    else:
        excess = openings.excess(
            who := ("address", network_of(scope)), limit * VISITORS
        )
    if excess == 1:
        logger.warning("Sockets are refused: %s %s opens too many.", *who)
    if excess > 0:
        raise Refusal("too many sockets")
    scope["cookies"] = cookies
    scope["session"] = session
    scope["user"] = user


def network_of(scope: Scope) -> str:
    """Return what to count someone unknown by: an address, or its IPv6 network."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
