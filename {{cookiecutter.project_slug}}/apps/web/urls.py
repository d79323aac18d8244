from django.conf import settings
from django.urls import path
from django.views.generic import RedirectView

from apps.web import views

favicon = RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")

urlpatterns = [
    path("", views.home, name="home"),
    # Browsers ask for this address where a page, such as the admin's, names none.
    path("favicon.ico", favicon),
]
