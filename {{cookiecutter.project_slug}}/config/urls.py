"""HTTP routes. The WebSocket ones are in channels_urls.py."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from apps.ops.requests import bad_request, server_error

urlpatterns = [
    path("", TemplateView.as_view(template_name="web/home.html"), name="home"),
    path("accounts/", include("allauth.urls")),
    # The site's login, because the admin's own form would not count attempts.
    path("admin/login/", secure_admin_login(admin.site.login)),
    path("admin/", admin.site.urls),
    # % if cookiecutter.include_chat_demo
    path("chat/", include("apps.chat.urls")),
    # % endif
]

handler400 = bad_request
handler500 = server_error  # or 503, if the site is busy

if settings.BROWSER_RELOAD:
    urlpatterns += [path("__reload__/", include("django_browser_reload.urls"))]
