"""An app is added, and the home page made one's own, as the project's README says."""

import re
from pathlib import Path

from baking import Kitchen, assert_all_passed
from readmes import code, section, type_in

MODEL = """
from django.db import models


class Item(models.Model):
    text = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.text
"""
PAGE = """
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path


def index(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


app_name = "todo"
urlpatterns = [path("", index, name="index")]
"""
ROUTE = 'path("todo/", include("apps.todo.views")),'
SHOW = "from django.test import Client; print(Client().get('/todo/').text)"


def test_adding_an_app_and_removing_the_round_trip(kitchen: Kitchen) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    path = project.path
    text = section(path / "README.md", "Add an app")
    shell = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    (block,) = code(text, "sh")
    type_in(block, path, shell)
    for name, more in {"models": MODEL, "views": PAGE}.items():
        file = path / "apps" / "todo" / f"{name}.py"
        file.write_text(file.read_text() + more)
    change(path / "config" / "urls.py", 'path("",', f'{ROUTE}\n    path("",')
    settings = path / "config" / "settings.py"
    change(settings, '    "apps.web",', '    "apps.todo",\n    "apps.web",')
    change(settings, "] = []", '] = [("Todo", "todo:index")]')

    remove_the_round_trip(path, text)

    project.manage("makemigrations")
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", "apps/web")
    assert_all_passed(done.stdout.replace("deselected", ""))
    shown = project.manage("shell", "-c", SHOW, env={"ALLOWED_HOSTS": "testserver"})
    assert '<a href="/todo/" aria-current="page">Todo</a>' in shown


def remove_the_round_trip(project: Path, text: str) -> None:
    """Delete the files that the README names, and what the others have of it."""
    _, told = text.split("To remove its round-trip time, delete")
    names = re.findall(r"`(\w+/\S+)`", told)
    assert len(names) == 6
    for name in names[:4]:
        (project / name).unlink()
    for name in names[4:]:
        file = project / name
        kept = re.sub(r"(?s)  <live-ping.*?</live-ping>\n", "", file.read_text())
        lines = kept.splitlines(keepends=True)
        file.write_text("".join(one for one in lines if "ping" not in one.lower()))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
