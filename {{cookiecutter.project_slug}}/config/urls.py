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
    reloading = include("django_browser_reload.urls")
    urlpatterns.append(path("__reload__/", reloading))

if settings.DEBUG_TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns.extend(debug_toolbar_urls())
