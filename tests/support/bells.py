"""The bell of docs/live.md, typed into a project, and a page that shows it."""

from baking import Project
from people import Person
from playwright.sync_api import Locator, expect
from recipes import type_page
from sites import Site

# A region with what people hold on to, and the same beside it.
LIVE = """

class Desk(Live):
    template_name = "notifications/desk.html"

    def allows(self, user: Any, key: str) -> bool:
        return not Notification.objects.filter(user=user.pk, text="denied").exists()

    def get_context(self, key: str) -> dict[str, Any]:
        return {"count": Notification.objects.count()}


class Tile(Desk):
    template_name = "notifications/tile.html"

    def allows(self, user: Any, key: int) -> bool:
        return True

    def get_contexts(self, keys):
        return dict.fromkeys(keys, self.get_context(""))
"""
DESK = """<p id="{part}-count">{count}</p>
<label>Text <input id="{part}-text"></label>
<details id="{part}-details"><summary>More</summary>text</details>
<label>Lines <textarea id="{part}-lines" rows="2">{lines}</textarea></label>
"""
VIEWS = """
from django.http import HttpResponse
from django.shortcuts import render

from apps.users.models import User
from channels_live import Live, publish, user_group
from channels_live.live.region import regions


def page(request):
    people = User.objects.order_by("pk")
    return render(request, "notifications/page.html", {"people": people})


def part(request, pk):
    return render(request, "notifications/part.html", {"pk": pk})


def desk(request):
    return render(request, "notifications/desk_page.html")


def tiles(request):
    return render(request, "notifications/tiles.html", {"keys": range(1000)})


def say(request):
    publish("news", request.GET["html"])
    return HttpResponse()


def own(request):
    group = user_group(request.user.pk)
    return render(request, "notifications/own.html", {"group": group})


def say_to(request, name):
    user = User.objects.get(username=name)
    publish(user_group(user.pk), f"<p>{user} alone</p>")
    return HttpResponse()


def post(request):
    return HttpResponse(f"{request.method} arrived")


def gone(request):
    '''A page of a release that had one region more.'''

    class Gone(Live):
        template_name = "notifications/bell.html"

        def allows(self, user, key):
            return True

    try:
        return render(request, "notifications/gone.html")
    finally:
        del regions["notifications.Gone"]
"""
PAGE = """{% extends "base.html" %}
{% load channels_live django_htmx %}
{% block head %}
<meta name="htmx-config"
      content='{"allowEval": false, "includeIndicatorStyles": false}'>
{% htmx_script %}
{% endblock %}
{% block main %}
<h1>Bell</h1>
<div id="bell">{% live "notifications.Bell" user.pk %}</div>
<div id="news">{% listen "news" %}</div>
<p id="parts"></p>
{% for person in people %}
<button hx-get="/part/{{ person.pk }}/" hx-target="#parts">{{ person }}</button>
{% endfor %}
<button hx-get="/part/0/" hx-target="#parts">nobody</button>
<a href="/accounts/email/">elsewhere</a>
<a href="/page/?again" hx-boost="true" hx-target="body">boosted</a>
<a href="/feed/">feed</a>
{% endblock %}
"""
DESK_PAGE = """{% extends "base.html" %}
{% load channels_live %}
{% block main %}
<h1>Desk</h1>
{% live "notifications.Desk" %}
{% live "notifications.Bell" user.pk %}
BESIDE
{% endblock %}
"""
TILES = """{% extends "base.html" %}
{% load channels_live %}
{% block main %}
{% live_list "notifications.Tile" keys %}
{% endblock %}
"""
OWN = """{% extends "base.html" %}
{% load channels_live %}
{% block main %}
<div id="own">{% listen group %}</div>
{% endblock %}
"""
GONE = """{% extends "base.html" %}
{% load channels_live %}
{% block main %}
{% live "notifications.Gone" %}
{% endblock %}
"""
FORM = """
<form method="post" action="/post/">{% csrf_token %}<button>Send</button></form>
"""
PART = """{% load channels_live %}
{% if pk %}<i>part</i>{% live "notifications.Bell" pk %}{% endif %}"""
ROUTES = """
from apps.notifications.views import desk, gone, own, page, part, post, say, say_to
from apps.notifications.views import tiles
urlpatterns += [
    path("page/", page), path("part/<int:pk>/", part), path("say/", say),
    path("desk/", desk), path("own/", own), path("say/<str:name>/", say_to),
    path("post/", post), path("gone/", gone),
    path("tiles/", tiles),
]
"""

NOTIFY = """
from apps.notifications.live import Desk
from apps.notifications.models import Notification
from apps.users.models import User
Notification.objects.create(user=User.objects.get(username={name!r}), text="Hello")
Desk.changed("")
"""
COUNT_SOCKETS = """
window.sockets = [];
window.sent = "";
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    window.sockets.push(this);
  }
  send(data) {
    window.sent += data;
    super.send(data);
  }
};
"""


def type_bell(project: Project) -> None:
    """Type what the page says, and a page that shows it."""
    type_page(project, "live.md")
    app = project.path / "apps" / "notifications"
    (app / "views.py").write_text(VIEWS)
    with (app / "live.py").open("a") as file:
        file.write(LIVE)
    lines = "\n".join(map(str, range(40)))
    beside = DESK.format(part="beside", count="", lines=lines)
    for name, source in {
        "page": PAGE,
        "part": PART,
        "desk": DESK.format(part="within", count="{{ count }}", lines=lines) + FORM,
        "gone": GONE,
        "tile": "<i>{{ count }}</i>",
        "tiles": TILES,
        "own": OWN,
        "desk_page": DESK_PAGE.replace("BESIDE", beside),
    }.items():
        (app / "templates" / "notifications" / f"{name}.html").write_text(source)
    urls = project.path / "config" / "urls.py"
    urls.write_text(urls.read_text("utf-8") + ROUTES, "utf-8")


def bell(person: Person, within: str = "#bell") -> Locator:
    return person.page.locator(f"{within} live-region")


def is_live(person: Person, within: str = "#bell") -> None:
    expect(bell(person, within)).to_have_attribute("data-state", "live")


def unread(person: Person) -> int:
    return int(bell(person).inner_text().split()[0])


def notify(site: Site, name: str = "ada") -> None:
    """From another process, without Redis."""
    site.shell.run(NOTIFY.format(name=name))


def shows(person: Person, number: int, timeout: float = 2000) -> None:
    expect(bell(person)).to_have_text(f"{number} unread", timeout=timeout)
