"""Where a WebSocket's path leads."""

from django.conf import settings
from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver, resolve

from channels_live.base.asgi import Scope
from channels_live.handshake.refusal import Refusal

type Routes = tuple[URLPattern | URLResolver, ...]


def find_route(scope: Scope, routes: Routes) -> ResolverMatch:
    """Return the route of a path, as Django finds that of a request. Raises Refusal.

    A mount point (FORCE_SCRIPT_NAME or the server's root_path) is taken off first.
    """
    mount = (settings.FORCE_SCRIPT_NAME or scope.get("root_path") or "").rstrip("/")
    path = scope["path"]
    if path.startswith(mount + "/"):
        path = path[len(mount) :]
    try:
        return resolve(path, urlconf=routes)  # type: ignore[arg-type]
    except Resolver404:
        raise Refusal("unknown path") from None
