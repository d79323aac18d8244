"""A site in a pseudo-locale: its messages stand in brackets, unmarked words do not.

What people write there is Japanese, so a Latin letter is of a word of the site.
"""

from collections import defaultdict
from pathlib import Path

from baking import Project, Variables
from fleet import PRODUCTION, Fleet
from people import Person
from playwright.sync_api import Browser
from serving import PASSWORD, Visitor

# All messages go through these, the lazy ones and those of templates too.
SETTINGS = """
from django.utils.translation import trans_real

from config.settings import *


def bracketed(translate):
    def wrapper(*words):
        text = translate(*words)
        return type(text)(f"⟦{text}⟧") if text else text

    return wrapper


for name in ("gettext", "ngettext", "pgettext", "npgettext"):
    setattr(trans_real, name, bracketed(getattr(trans_real, name)))
"""
PSEUDO: Variables = {"DJANGO_SETTINGS_MODULE": "config.pseudo"}
# Pages of errors that are not easily brought about.
ERRORS = """

from allauth.core.ratelimit import respond_429
from django.core.exceptions import BadRequest

def fail(request, status):
    if status == 429:
        return respond_429(request)
    raise BadRequest if status == 400 else RuntimeError

urlpatterns.append(path("error/<int:status>/", fail))
"""
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")
NAMES = ("太郎", "花子")
SETTLE = """
import json
from django.test import Client
from apps.chat.models import Room
from apps.users.models import User

sessions = []
for number, name in enumerate({names!r}):
    user = User.objects.create_user(name, f"{{number}}@example.org", {password!r})
    user.is_staff = user.is_superuser = number == 0
    user.save()
    client = Client()
    client.force_login(user)
    sessions.append(client.session.session_key)
for slug in ("open", "doomed"):
    Room.objects.create(name="部屋", slug=slug, creator=user)
Room.objects.bulk_create(Room(name="部屋", slug=f"r{{n}}") for n in range(101))
User.objects.bulk_create(User(username="名" * 99 + str(n)) for n in range(20))
own = Room.objects.create(name="秘密" * 30, slug="own", is_private=True, creator_id=1)
own.members.set(User.objects.all())
print(json.dumps(sessions))
"""


def pseudolocalize(project: Project) -> None:
    (project.path / "config" / "pseudo.py").write_text(SETTINGS, "utf-8")
    with (project.path / "config" / "urls.py").open("a") as urls:
        urls.write(ERRORS)
    project.manage("collectstatic", "--noinput", env=PRODUCTION)


class PseudoSite:
    """A production site in the pseudo-locale, and what is unmarked in it."""

    def __init__(self, fleet: Fleet, browser: Browser) -> None:
        self.fleet = fleet
        self.server = fleet.start("daphne")
        self.browser = browser
        keys = fleet.ask(SETTLE.format(names=NAMES, password=PASSWORD))
        self.sessions = dict(zip(NAMES, keys, strict=True))
        self.unmarked: dict[str, set[str]] = defaultdict(set)

    def invite(self, name: str = "") -> Person:
        """Somebody whose times and dates have no Latin letters."""
        session = self.sessions.get(name, "")
        url = self.server.url
        person = Person(self.browser, url, session=session, locale="ja-JP")
        person.context.expose_function("report", self.report)
        person.context.add_init_script(LOOK)
        return person

    def report(self, path: str, text: str) -> None:
        self.unmarked[path].add(text)

    def visitor(self, name: str) -> Visitor:
        visitor = Visitor(self.server)
        visitor.session.cookies.set("sessionid", self.sessions[name])
        return visitor

    def visit(self, person: Person, path: str, status: int = 200) -> None:
        answer = person.page.goto(path)
        assert answer
        assert answer.status == status, path
        person.page.evaluate("look(); lookAtStyle()")
        if not path.startswith("/admin/"):
            person.fits()

    def assert_all_marked(self) -> None:
        found = [f"{path}: {texts}" for path, texts in self.unmarked.items()]
        assert not found, "\n".join(found)
