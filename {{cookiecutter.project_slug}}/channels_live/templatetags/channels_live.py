"""Template tags; a template gets them with `load channels_live`."""

from typing import Any

from django import template

from channels_live.utils import websocket_absolute_url, websocket_reverse

register = template.Library()


@register.simple_tag
def websocket_path(viewname: str, *args: Any, **kwargs: Any) -> str:
    """Return the path of a WebSocket route, for the scripts of a page.

    socket.js resolves it against the page's own address, which is right behind proxies
    and tunnels too.
    """
    return websocket_reverse(viewname, args=args, kwargs=kwargs)


@register.simple_tag(takes_context=True)
def websocket_url(
    context: template.Context, viewname: str, *args: Any, **kwargs: Any
) -> str:
    """Return the absolute URL of a WebSocket route, for what is not a page's script.

    Its host is that of the page; in a template without a request (an e-mail, say), the
    Site's.
    """
    path = websocket_reverse(viewname, args=args, kwargs=kwargs)
    return websocket_absolute_url(path, request=context.get("request"))
