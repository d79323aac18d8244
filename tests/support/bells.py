"""The bell of docs/live.md, typed into a project, and a page that shows it."""

import re
from pathlib import Path

from baking import Project
from readmes import code

FILES = re.compile(
    r"`(apps/notifications/[\w/.]+)`.*?```(?:python|html)\n(.*?)```", re.S
)
VIEWS = """
from django.http import HttpResponse
from django.shortcuts import render

from apps.users.models import User
from channels_live import publish


def page(request):
    people = User.objects.order_by("pk")
    return render(request, "notifications/page.html", {"people": people})


def part(request, pk):
    return render(request, "notifications/part.html", {"pk": pk})


def say(request):
    publish("news", request.GET["html"])
    return HttpResponse()
"""
PAGE = """{% extends "base.html" %}
{% load channels_live django_htmx %}
{% block head %}
<meta name="htmx-config"
      content='{"allowEval": false, "includeIndicatorStyles": false}'>
{% htmx_script %}
{% endblock %}
{% block main %}
<div id="bell">{% live "notifications.Bell" user.pk %}</div>
<div id="news">{% listen "news" %}</div>
<p id="parts"></p>
{% for person in people %}
<button hx-get="/part/{{ person.pk }}/" hx-target="#parts">{{ person }}</button>
{% endfor %}
<button hx-get="/part/0/" hx-target="#parts">nobody</button>
<a href="/accounts/email/">elsewhere</a>
<a href="/page/?again" hx-boost="true" hx-target="body">boosted</a>
{% endblock %}
"""
PART = """{% load channels_live %}
{% if pk %}<i>part</i>{% live "notifications.Bell" pk %}{% endif %}"""
ROUTES = """
from apps.notifications.views import page, part, say
urlpatterns += [
    path("page/", page), path("part/<int:pk>/", part), path("say/", say)
]
"""


def type_bell(project: Project) -> None:
    """Type what the page says, and a page that shows it."""
    text = (project.path / "docs" / "live.md").read_text("utf-8")
    project_run = code(text, "sh")[0]
    for line in project_run.splitlines():
        command, *rest = line.split()
        for path in rest:
            if command == "mkdir" and path != "-p":
                (project.path / path).mkdir(parents=True, exist_ok=True)
            elif command == "touch":
                (project.path / path).touch()
    for path, source in FILES.findall(text):
        (project.path / path).write_text(source, "utf-8")
    app = project.path / "apps" / "notifications"
    (app / "views.py").write_text(VIEWS)
    (app / "templates" / "notifications" / "page.html").write_text(PAGE)
    (app / "templates" / "notifications" / "part.html").write_text(PART)
    settings = project.path / "config" / "settings.py"
    insert(settings, '    "apps.users",\n', '    "apps.notifications",\n')
    urls = project.path / "config" / "urls.py"
    urls.write_text(urls.read_text("utf-8") + ROUTES, "utf-8")
    project.manage("makemigrations", "notifications")


def insert(path: Path, after: str, text: str) -> None:
    found = path.read_text("utf-8")
    assert after in found
    path.write_text(found.replace(after, after + text, 1), "utf-8")
