"""WebSocket routes of the tests' own."""

from typing import Any

from django.urls import include, path

from tests.library.helpers import consumers, plain

# path() is typed for views.
endpoints: dict[str, Any] = {
    "shout": consumers.ShoutConsumer.as_asgi(),
    "orders": consumers.OrdersConsumer.as_asgi(),
    "counting": consumers.CountingConsumer.as_asgi(),
    "closed": consumers.ClosedConsumer.as_asgi(),
    "inbox": consumers.InboxConsumer.as_asgi(),
    "outage": consumers.OutageConsumer.as_asgi(),
    "failing": consumers.FailingConsumer.as_asgi(),
    "numbered": consumers.NumberedConsumer.as_asgi(),
    "roster": consumers.RosterConsumer.as_asgi(),
    "plain-async": plain.AsyncConsumer.as_asgi(),
    "plain-sync": plain.SyncConsumer.as_asgi(),
    "plain-json": plain.JsonConsumer.as_asgi(),
}
tell: Any = consumers.tell_route

websocket_urlpatterns = [
    path("ws/plain/", tell, name="plain"),
    path("ws/room/<int:number>/<str:name>/", tell, name="room"),
    path("ws/more/", include([path("plain/", tell)])),
    *(path(f"ws/{name}/", app, name=name) for name, app in endpoints.items()),
]
