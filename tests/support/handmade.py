"""A page with a stream and a plain consumer, as docs/realtime.md describes them."""

import re
from pathlib import Path

from readmes import code, section

PAGE = """{{% extends "base.html" %}}
{{% load channels_live static %}}
{{% block main %}}
  <h1>Handmade</h1>
  {stream}
  <ul data-socket="{{% websocket_path 'ws_plain' %}}"></ul>
{{% endblock %}}
{{% block scripts %}}
  <script src="{{% static 'plain.js' %}}" defer></script>
{{% endblock %}}
"""
SCRIPT = """
for (const list of document.querySelectorAll("[data-socket]")) {
  const socket = new LiveSocket(list.dataset.socket, { element: list });
  socket.addEventListener("message", ({ data }) => list.append(data));
  socket.addEventListener("state", () => {
    list.title = socket.state;
    if (socket.state === "online") socket.send("hello");
  });
}
"""
CONSUMER = """
from channels.generic.websocket import AsyncWebsocketConsumer


class Plain(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send("PONG" if text_data == "ping" else text_data.upper())
"""
KINDS = ("python", "html", "js")
ROUTES = {
    "urls": """
from django.views.generic import TemplateView
from apps.web.stream import stream

urlpatterns += [
    path("stream/", stream, name="stream"),
    path("handmade/", TemplateView.as_view(template_name="web/handmade.html")),
]
""",
    "channels_urls": """
from apps.web.plain import Plain

websocket_urlpatterns += [path("ws/plain/", Plain.as_asgi(), name="ws_plain")]
""",
}


def add_to(project: Path) -> None:
    """Add them to a project with a chat, at /handmade/."""
    page = project / "docs" / "realtime.md"
    text = section(page, "Server-sent events and long polling")
    (stream,), (main,), (script,) = (code(text, kind) for kind in KINDS)
    (pong,) = re.findall("`(<!--.*?-->)`", section(page, "Plain Channels consumers"))
    model = ("apps.news.models import Item", "apps.chat.models import Message as Item")
    assert model[0] in stream
    web = project / "apps" / "web"
    (web / "stream.py").write_text(stream.replace(*model))
    (web / "plain.py").write_text(CONSUMER.replace("PONG", pong))
    (web / "templates" / "web" / "handmade.html").write_text(PAGE.format(stream=main))
    (project / "static" / "news").mkdir()
    (project / "static" / "news" / "stream.js").write_text(script)
    (project / "static" / "plain.js").write_text(SCRIPT)
    for name, routes in ROUTES.items():
        urls = project / "config" / f"{name}.py"
        urls.write_text(urls.read_text() + routes)
