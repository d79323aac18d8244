"""HTTP routes. The WebSocket ones are in channels_urls.py."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("apps.web.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    # % if cookiecutter.include_chat_demo
    path("chat/", include("apps.chat.urls")),
    # % endif
]
