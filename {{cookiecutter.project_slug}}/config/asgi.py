"""ASGI entry point: HTTP goes to Django, WebSockets to config.channels_urls."""

import os
import sys

from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Before the imports below, which need the app registry to be ready.
try:
    django_application = get_asgi_application()
except ImproperlyConfigured as error:
    if settings.configured:
        raise
    sys.exit(str(error))  # a wrong setting

from django.db import connection

from apps.ops.jobs import start_jobs
from apps.ops.metrics import start_metrics
from apps.ops.proxy import ProxyMiddleware
from channels_live import explain_refusals, websocket_application
from config.channels_urls import websocket_urlpatterns

if connection.vendor == "postgresql":
    from config.postgresql import limit_statements

    limit_statements()

websocket = websocket_application(websocket_urlpatterns)

application = ProxyMiddleware(
    ProtocolTypeRouter(
        {
            "http": explain_refusals(websocket, django_application),
            "websocket": websocket,
        }
    )
)
start_jobs()
start_metrics()
