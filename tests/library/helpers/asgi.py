"""What the tests open sockets at, as a project's config/asgi.py has it."""

from channels.routing import ProtocolTypeRouter

from channels_live import websocket_application
from tests.library.helpers.channels_urls import websocket_urlpatterns

application = ProtocolTypeRouter(
    {"websocket": websocket_application(websocket_urlpatterns)}
)
