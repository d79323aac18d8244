"""URLs of WebSocket endpoints and absolute URLs of pages.

All functions may be called from sync and async code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib.sites.models import Site
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils.module_loading import import_string

from channels_live.base.threads import wait_for


def websocket_reverse(
    viewname: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> str:
    """Return the path of a WebSocket route: reverse() for channels_urls.py.

    Raises NoReverseMatch if no route has that name and these arguments.
    """
    path = reverse(
        viewname,
        urlconf=websocket_routes(),  # type: ignore[arg-type]
        args=args,
        kwargs=dict(kwargs) if kwargs else None,
    )
    # Only HTTP requests and management commands have a script prefix set for them.
    if get_script_prefix() == "/" and settings.FORCE_SCRIPT_NAME:
        return settings.FORCE_SCRIPT_NAME.rstrip("/") + path
    return path


def websocket_routes() -> tuple[Any, ...]:
    """Return the routes in channels_urls.py, as Django can cache their resolver."""
    project = settings.ROOT_URLCONF.rpartition(".")[0]
    return tuple(import_string(f"{project}.channels_urls.websocket_urlpatterns"))


def websocket_absolute_url(path: str, *, request: HttpRequest | None = None) -> str:
    """Return ws://host/path, or wss://host/path on HTTPS.

    With a request, the host and scheme are those of the page. (A page at 127.0.0.1
    sends no session cookie to a socket at localhost.) Without one, they come from the
    Site's domain and USE_HTTPS_IN_ABSOLUTE_URLS.

    Raises ValueError if path does not start with a slash.
    """
    return "ws" + absolute_url(path, request=request).removeprefix("http")


def absolute_url(path: str, *, request: HttpRequest | None = None) -> str:
    """Return http://host/path or https://host/path; see websocket_absolute_url()."""
    if not path.startswith("/"):
        raise ValueError(
            f"Expected a path that starts with '/', such as reverse() returns, "
            f"got {path!r}."
        )
    if request is not None:
        return f"{request.scheme}://{request.get_host()}{path}"
    scheme = "https" if settings.USE_HTTPS_IN_ABSOLUTE_URLS else "http"
    return f"{scheme}://{wait_for(Site.objects.get_current).domain}{path}"
