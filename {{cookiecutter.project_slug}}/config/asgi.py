"""ASGI entry point: HTTP goes to Django, WebSockets to config.channels_urls."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Before the imports below: they need the app registry to be ready.
django_application = get_asgi_application()

from apps.ops.health import HealthMiddleware  # noqa: E402
from apps.ops.metrics import expose_metrics  # noqa: E402
from apps.ops.proxy import ProxyMiddleware  # noqa: E402
from channels_live import websocket_application  # noqa: E402
from config.channels_urls import websocket_urlpatterns  # noqa: E402

application = ProxyMiddleware(
    ProtocolTypeRouter(
        {
            "http": HealthMiddleware(expose_metrics(django_application)),
            "websocket": websocket_application(websocket_urlpatterns),
        }
    )
)
