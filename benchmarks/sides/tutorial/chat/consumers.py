"""The consumer of the Channels tutorial, part 3, and its like with HTMX."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer
from django.template.loader import render_to_string


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.group = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data):
        text = json.loads(text_data)["message"]
        event = {"type": "chat.message", "message": text}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))


class HtmxChatConsumer(ChatConsumer):
    """Sends a fragment, rendered for the member who gets it."""

    async def receive(self, text_data):
        text = json.loads(text_data)["message"]
        user = self.scope["user"]
        event = {
            "type": "chat.message",
            "message": text,
            "author": user.pk,
            "name": user.username,
        }
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        context = {"event": event, "user": self.scope["user"]}
        await self.send(text_data=render_to_string("chat/message.html", context))
