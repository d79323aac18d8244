"""HTTP routes. The WebSocket ones are in channels_urls.py."""

from django.conf import settings
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

if settings.BROWSER_RELOAD:
    urlpatterns += [path("__reload__/", include("django_browser_reload.urls"))]
if settings.DEBUG_TOOLBAR:
    urlpatterns += [path("__debug__/", include("debug_toolbar.urls"))]
