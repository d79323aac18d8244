from chat.consumers import ChatConsumer, HtmxChatConsumer
from django.urls import path

websocket_urlpatterns = [
    path("ws/chat/<slug:room_name>/", ChatConsumer.as_asgi()),
    path("ws/htmx/<slug:room_name>/", HtmxChatConsumer.as_asgi()),
]
