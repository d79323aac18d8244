"""Whose socket it is.

One thread hop for session and user together; Channels' own stack takes two.
"""

from functools import partial
from importlib import import_module
from typing import cast

from django.conf import settings
from django.http import parse_cookie

from channels_live import conf
from channels_live.base.asgi import (
    Application,
    Message,
    Receive,
    Scope,
    Send,
    get_header,
)
from channels_live.base.threads import in_thread
from channels_live.commands.revoking import disconnect
from channels_live.handshake.limits import OpeningBudget, network_of
from channels_live.handshake.router import refuse
from channels_live.observe.outage import DATABASE_ERRORS, database_outage
from channels_live.process import get_process
from channels_live.revocation.logins import Login, load_user

# As many visitors as this may share an address.
VISITORS = 10


class AuthMiddleware:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Whoever opens sockets in a loop is refused: a session before it is looked up, a
    person whatever the number of their sessions, and everybody else by address.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner
        self.budget = OpeningBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cookies = parse_cookie(get_header(scope, b"cookie"))
        store = import_module(settings.SESSION_ENGINE).SessionStore
        key = cookies.get(settings.SESSION_COOKIE_NAME, "")
        session = store(None if "\0" in key else key)
        limit = conf.get("SOCKETS_PER_SECOND")
        if key and not self.budget.spend("session", key, limit):
            await refuse(receive, send, "too many sockets")
            return
        scope = cast(Scope, dict(scope, cookies=cookies, session=session))
        try:
            scope["user"] = user = await in_thread(load_user)(session)
        except DATABASE_ERRORS as error:
            database_outage.begin(error)
            await refuse(receive, send, "the database is away")
            return
        if user.is_authenticated:
            may_enter = self.budget.spend("user", user.pk, limit)
        else:
            network = network_of(scope)
            may_enter = self.budget.spend("address", network, limit * VISITORS)
        if not may_enter:
            await refuse(receive, send, "too many sockets")
            return
        socket = scope["socket"]
        socket.scope = scope
        login = Login(get_process().registry, socket)
        await self.inner(scope, partial(follow, login, receive), send)


async def follow(login: Login, receive: Receive) -> Message:
    """Notice where a consumer has logged somebody in or out over its socket."""
    if ended := login.follow():
        disconnect(session=ended)
    return await receive()
