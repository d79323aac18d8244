"""WebSocket routes, as urls.py holds the HTTP ones."""

from django.urls import path

# % if cookiecutter.include_chat_demo
from apps.chat.consumers import ChatConsumer

# % endif
from apps.web.consumers import PingConsumer
from channels_live import LiveConsumer

websocket_urlpatterns = [
    # % if cookiecutter.include_chat_demo
    path("ws/chat/<str:key>/", ChatConsumer.as_asgi(), name="ws_group_chat"),
    # % endif
    path("ws/live/", LiveConsumer.as_asgi(), name="ws_live"),
    path("ws/ping/", PingConsumer.as_asgi(), name="ws_ping"),
]
