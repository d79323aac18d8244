"""ASGI entry point: HTTP goes to Django, WebSockets to config.channels_urls."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Before the imports below: they need the app registry to be ready.
django_application = get_asgi_application()

from apps.realtime.proxy import ProxyMiddleware  # noqa: E402
from apps.realtime.routing import WebSocketRouter  # noqa: E402
from apps.realtime.stack import websocket_stack  # noqa: E402
from apps.web.health import HealthMiddleware  # noqa: E402
from apps.web.metrics import expose_metrics  # noqa: E402
from config.channels_urls import websocket_urlpatterns  # noqa: E402

application = ProxyMiddleware(
    ProtocolTypeRouter(
        {
            "http": HealthMiddleware(expose_metrics(django_application)),
            "websocket": websocket_stack(WebSocketRouter(websocket_urlpatterns)),
        }
    )
)
