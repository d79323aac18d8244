"""What every page knows about the site."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def site(request: HttpRequest) -> dict[str, object]:
    """Return the project's name and description, and the links of its navigation."""
    return {
        "debug": settings.DEBUG,
        "project_name": settings.PROJECT_NAME,
        "project_description": settings.PROJECT_DESCRIPTION,
        "navigation": [(label, reverse(name)) for label, name in settings.NAVIGATION],
    }
