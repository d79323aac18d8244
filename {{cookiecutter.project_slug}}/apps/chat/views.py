"""The pages of the chat. Without JavaScript they are all that it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.forms import UUIDField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.chat.forms import RoomForm
from apps.chat.models import Room
from apps.chat.posting import post_message
from apps.chat.rendering import render_line, render_roster
from apps.chat.rooms import add_member, enter_room, remove_member
from apps.users.models import User
from channels_live import count_present, present

# For how long a form waits for a room that somebody locks, in milliseconds: it holds a
# database connection meanwhile.
PATIENCE = 500
MESSAGES = 50  # on a page
ROOMS = 100  # on a page


class AuthenticatedRequest(HttpRequest):
    """The request of a view behind login_required."""

    user: User


@login_required
def index(request: AuthenticatedRequest) -> HttpResponse:
    """List the rooms. POST enters the room of a name, and creates it if it is new."""
    form = RoomForm(request.POST or None, label_suffix="")
    if form.is_valid():
        try:
            return redirect(enter_room(request.user, **form.cleaned_data))
        except ValidationError as error:
            form.add_error("name", error.messages)
    pages = Paginator(Room.objects.visible_to(request.user), ROOMS)
    page = pages.get_page(request.GET.get("page"))
    people = count_present([room.group for room in page])
    context = {
        "form": form,
        "page": page,
        "rooms": [(room, people.get(room.group, 0)) for room in page],
    }
    return render(request, "chat/index.html", context)


@login_required
def room(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Show a room and its last messages, or those before ?before=number."""
    room = get_room(request, key)
    newest_first = room.messages.select_related("author").order_by("-number")
    before = request.GET.get("before", "")
    is_history = before.isdecimal() and len(before) < 20
    if is_history:
        newest_first = newest_first.filter(number__lt=int(before))
    newest = list(newest_first[: MESSAGES + 1])
    page = newest[:MESSAGES][::-1]
    context = {
        "room": room,
        "page": page,
        "lines": [render_line(message) for message in page],
        "has_earlier": len(newest) > MESSAGES,
        "is_history": is_history,
        "roster": render_roster(*present(room.group)),
        "client_id": uuid4(),
    }
    return render(request, "chat/room.html", context)


@login_required
@require_POST
def post(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Post a message without a WebSocket."""
    room = get_room(request, key)
    text = request.POST.get("message", "")
    with errors_shown(request):
        client_id = UUIDField(required=False).clean(request.POST.get("client_id"))
        post_message(room, request.user, text, client_id=client_id, patience=PATIENCE)
    return redirect(room)


@login_required
@require_POST
def add(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Add a member to a private room."""
    room = get_own_room(request, key)
    username = request.POST.get("username", "")
    with errors_shown(request):
        add_member(room, username)
        messages.success(request, _("%(name)s is a member now.") % {"name": username})
    return redirect(room)


@login_required
@require_POST
def remove(request: AuthenticatedRequest, key: str) -> HttpResponse:
    """Remove a member from a private room."""
    room = get_own_room(request, key)
    username = request.POST.get("username", "")
    with errors_shown(request):
        remove_member(room, username)
        messages.success(
            request, _("%(name)s is no member any more.") % {"name": username}
        )
    return redirect(room)


@contextmanager
def errors_shown(request: HttpRequest) -> Iterator[None]:
    """Show validation errors on the next page."""
    try:
        yield
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except Room.DoesNotExist as error:  # deleted a moment ago
        raise Http404 from error


def get_room(request: AuthenticatedRequest, key: str) -> Room:
    return get_object_or_404(Room.objects.with_slug(key).visible_to(request.user))


def get_own_room(request: AuthenticatedRequest, key: str) -> Room:
    room = get_room(request, key)
    if not room.is_private or room.creator != request.user:
        raise PermissionDenied("Only the creator of a private room chooses who is in.")
    return room
