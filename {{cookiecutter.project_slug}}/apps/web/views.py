from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "web/home.html")


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this address where a page, such as the admin's, names none."""
    return redirect(static("favicon.svg"))
