"""Template tags; a template gets them with `load channels_live`."""

from typing import Any

from django import template

from channels_live.utils import websocket_absolute_url, websocket_reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def websocket_url(
    context: template.Context, viewname: str, *args: Any, **kwargs: Any
) -> str:
    """Return the absolute URL of a WebSocket route, on the host of the page itself.

    In a template without a request (an e-mail, say) the host is the Site's.
    """
    path = websocket_reverse(viewname, args=args, kwargs=kwargs)
    return websocket_absolute_url(path, request=context.get("request"))
