"""Template tags; load them with `load channels_live`."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from channels_live.base.messages import check_name
from channels_live.base.threads import wait_for
from channels_live.live.names import owner, sign
from channels_live.live.pages import show
from channels_live.live.place import Place
from channels_live.live.region import regions
from channels_live.live.rendering import within
from channels_live.utils import websocket_absolute_url, websocket_reverse

register = template.Library()

NO_KEY = object()


@register.simple_tag
def websocket_path(viewname: str, *args: Any, **kwargs: Any) -> str:
    """Return the path of a WebSocket route, for scripts of the page.

    socket.js resolves it against the page's address, which works behind proxies and
    tunnels too.
    """
    return websocket_reverse(viewname, args=args, kwargs=kwargs)


@register.simple_tag(takes_context=True)
def websocket_url(
    context: template.Context, viewname: str, *args: Any, **kwargs: Any
) -> str:
    """Return the absolute URL of a WebSocket route, for use outside of the page.

    Its host is that of the page; without a request, as in e-mails, that of the Site.
    """
    path = websocket_reverse(viewname, args=args, kwargs=kwargs)
    return websocket_absolute_url(path, request=context.get("request"))


@register.simple_tag(takes_context=True)
def live(context: template.Context, region: str, key: Any = NO_KEY) -> SafeString:
    """Show a live region, or nothing if the user may not see it.

    The region's template gets the region's context, and no request.
    """
    return show_regions(context, "live", region, [key])


@register.simple_tag(takes_context=True)
def live_list(
    context: template.Context, region: str, keys: Iterable[Any]
) -> SafeString:
    """Show a live region for each key, or row, with one call of get_contexts()."""
    return show_regions(context, "live_list", region, keys)


def show_regions(
    context: template.Context, tag: str, name: str, keys: Iterable[Any]
) -> SafeString:
    request, user, who = find_visitor(context, tag)
    if name not in regions:
        names = ", ".join(sorted(regions)) or "none"
        raise template.TemplateSyntaxError(
            f"There is no region {name!r}: put its name into quotes. In the live.py of "
            f"INSTALLED_APPS are: {names}."
        )
    region = regions[name]
    found = wait_for(lambda: [getattr(one, "pk", one) for one in keys])
    if keys == "" or "" in found:  # what Django has for a variable that does not exist
        raise ValueError(
            f"No key for {name}: the variable is misspelt, or its list is empty. If the "
            "list may be empty, put the tag into an if."
        )
    keys = ["" if key is NO_KEY else key for key in found if key is not None]
    places = [Place.of_page(region, key) for key in keys]
    states = wait_for(lambda: show(region, [place.key for place in places], user))
    if not states:
        return SafeString()
    token = get_token(request)
    shown = [(place, states[place.key]) for place in places if place.key in states]
    return format_html_join(
        "",
        '<live-region name="{}" topic="{}" digest="{}" csrf="{}">{}<!--live-region--></live-region>',
        [
            (place.sign(who), place.topic, state.digest, token, state.with_token(token))
            for place, state in shown
        ],
    )


@register.simple_tag(takes_context=True)
def listen(context: template.Context, group: str) -> SafeString:
    """Show the HTML that is published to a group while the page is open."""
    _, _, who = find_visitor(context, "listen")
    check_name(group)
    name = sign("listen", who, group)
    return format_html('<live-listen name="{}" topic="{}"></live-listen>', name, group)


def find_visitor(context: template.Context, tag: str) -> tuple[HttpRequest, Any, str]:
    """Return the page's request, its user, and for whom the names in it are signed.

    Raises TemplateSyntaxError if the tag is misplaced.
    """
    if place := within.get():
        raise template.TemplateSyntaxError(
            f"The tag {tag} cannot be within the tag {place}, because its output is for "
            "one visitor. Put it into the page itself."
        )
    request: HttpRequest | None = context.get("request")
    if request is None:
        raise template.TemplateSyntaxError(
            f"The tag {tag} needs the request: render the page with render(request, …)."
        )
    user = wait_for(lambda: getattr(request, "user", None) or AnonymousUser())
    return request, user, owner(user, getattr(request, "session", None))
