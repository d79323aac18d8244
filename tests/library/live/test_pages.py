"""What a page shows, and what its name says."""

import datetime as dt
import re
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import models
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import override
from pytest_django import Settings

from channels_live import Live
from channels_live.live.names import Foreign, owner, sign, unsign
from channels_live.live.place import Outdated, Place
from channels_live.live.region import METHODS
from channels_live.live.region import regions as registry
from channels_live.live.rendering import State, answer
from channels_live.testing import open_live, render_live
from tests.library.live import regions
from tests.library.live.regions import Card, Closed, Own, Team, Text, User, free_key

NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
REGION = re.compile(
    r'<live-region name="([^"]*)" topic="([^"]*)" digest="([^"]*)" csrf="([^"]*)">'
    r"(.*)<!--live-region--></live-region>"
)


def request_of(user: Any = None, session: Any = None) -> Any:
    request = RequestFactory().get("/")
    request.user = user or AnonymousUser()
    if session is not None:
        request.session = session
    return request


def render(source: str, request: Any = None, **context: Any) -> str:
    template = Template("{% load cache channels_live %}" + source)
    return template.render(Context({"request": request or request_of(), **context}))


def name_in(html: str) -> str:
    found = REGION.fullmatch(html)
    assert found, html
    return found[1]


def test_shows_the_state(ada: Any) -> None:
    html = render("{% live 'tests.Card' key %}", request_of(ada), key=ada.pk)

    found = REGION.fullmatch(html)
    assert found, html
    assert found[5] == "<b>Ada</b>"


def test_a_list_of_a_hundred_costs_one_query(
    db: None, django_assert_num_queries: Any
) -> None:
    names = [f"N{number}" for number in range(100)]
    rows = User.objects.bulk_create(User(username=n, first_name=n) for n in names)
    with django_assert_num_queries(1):
        html = render("{% live_list 'tests.Team' names %}", names=names)
    assert html.count("<live-region") == 100
    assert html.count("<i>") == 100

    regions.banned.add(None)  # the primary key of nobody
    assert render("{% live_list 'tests.Card' rows %}", rows=rows) == ""
    regions.reset()
    html = render("{% live_list 'tests.Card' rows %}", rows=rows)
    for row in rows:
        one = render("{% live 'tests.Card' key %}", key=row.pk)
        assert name_in(one) in html


def test_does_not_show_what_a_user_may_not_see(ada: Any) -> None:
    regions.banned.add(ada.pk)

    assert render("{% live 'tests.Card' key %}", request_of(ada), key=ada.pk) == ""
    assert render("{% live 'tests.Closed' 1 %}", request_of(ada)) == ""


@pytest.mark.django_db
def test_shows_nothing_for_no_key() -> None:
    """An anonymous visitor has the primary key None, and None == None."""
    source = "{% live 'tests.Own' request.user.pk %}"

    assert render(source) == ""
    with pytest.raises(ValueError, match=r"Invalid key for tests\.Own: None"):
        Own.changed(None)


@pytest.mark.parametrize(
    "source", ["{% live 'tests.Text' typo %}", "{% live_list 'tests.Text' typo %}"]
)
def test_a_variable_that_does_not_exist_is_told(source: str) -> None:
    with pytest.raises(ValueError, match=r"^No key for tests\.Text: .* misspelt"):
        render(source)


@pytest.mark.django_db
def test_shows_an_empty_region_for_a_row_that_is_no_more() -> None:
    html = render("{% live 'tests.Card' key %}", key=free_key())
    found = REGION.fullmatch(html)

    assert found
    assert found[5] == ""


def test_contexts_by_other_keys_are_an_error(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: dict[object, Any] = {1: {}}
    monkeypatch.setattr(Team, "get_contexts", lambda self, keys: contexts)
    with pytest.raises(ValueError, match="a context for 1, and none for '1'"):
        render_live(ada, Team, "1")


def test_a_key_has_the_type_of_the_field_it_stands_for(ada: Any) -> None:
    number = render("{% live 'tests.Card' key %}", key=ada.pk)
    text = render("{% live 'tests.Card' key %}", key=str(ada.pk))

    assert name_in(number) == name_in(text)
    with pytest.raises(ValueError, match=r"Invalid key for .*: 'ada'. Expected a"):
        Card.changed("ada")
    with pytest.raises(ValueError, match=r"Invalid key for .* Pass its pk\."):
        Team.changed(ada)
    with pytest.raises(ValueError, match=r"No key for .* misspelt, .* empty"):
        render("{% live 'tests.Card' missspelt %}")


@pytest.mark.django_db(transaction=True)
async def test_a_page_may_be_rendered_in_async_code() -> None:
    ada = await User.objects.acreate(username="ada")
    request = request_of()
    request.user = SimpleLazyObject(lambda: User.objects.get(pk=ada.pk))

    html = render("{% listen 'news' %}{% live 'tests.Card' key %}", request, key=ada.pk)

    assert "<live-listen" in html
    assert "<live-region" in html


@pytest.mark.parametrize("key", [Decimal("1.50"), date(2026, 1, 2), NEW_YEAR])
def test_dates_and_decimals_are_keys(key: Any) -> None:
    place = Place(Text, key, "en", "/")

    assert Place.unsign(place.sign("user 1"), "user 1") == place


@pytest.mark.parametrize("key", [3, "3", uuid4(), (1, "a"), (uuid4(), (2, "3"))])
def test_keys_come_back_as_they_went_in(key: Any) -> None:
    place = Place(Text, key, "en", "/")

    back = Place.unsign(place.sign("user 1"), "user 1")

    assert back == place
    assert type(back.key) is type(key)


@pytest.mark.parametrize("key", [1.5, True, b"x", [1], ("a", 1.5)])
def test_other_keys_are_refused(key: Any) -> None:
    for followed in (Card, Team):
        with pytest.raises((TypeError, ValueError)):
            followed.changed(key)
    with pytest.raises(TypeError, match="Expected a region's key as int, str, UUID"):
        Text.clean_key(key)


def test_a_name_is_for_whom_it_was_made() -> None:
    name = Place(Text, 1, "en", "/").sign("user 1")

    for other in ("user 2", "user 11", ""):
        with pytest.raises(Foreign):
            Place.unsign(name, other)
    for forged in (name[:-1], f"x{name}", "", None, "a:b"):
        with pytest.raises(Foreign):
            Place.unsign(forged, "user 1")


def test_a_name_is_of_a_region_or_of_a_group() -> None:
    with pytest.raises(Foreign):
        unsign("listen", Place(Text, 1, "en", "/").sign("user 1"), "user 1")


def test_a_name_without_a_login_is_for_the_session() -> None:
    first, second = SessionStore("a" * 32), SessionStore("b" * 32)
    name = Place(Text, 1, "en", "/").sign(owner(AnonymousUser(), first))

    assert "a" * 32 not in name
    Place.unsign(name, owner(AnonymousUser(), first))
    with pytest.raises(Foreign):
        Place.unsign(name, owner(AnonymousUser(), second))


@pytest.mark.parametrize("user", [AnonymousUser(), User(pk=1)])
def test_a_name_outlives_a_secret_key_that_is_kept_as_a_fallback(
    user: Any, settings: Settings
) -> None:
    session = SessionStore("a" * 32)
    name = Place(Text, 1, "en", "/").sign(owner(user, session))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    Place.unsign(name, owner(user, session))


def test_a_session_may_begin_after_the_page(ada: Any) -> None:
    name = Place(Text, 1, "en", "/").sign(owner(AnonymousUser(), None))

    Place.unsign(name, owner(AnonymousUser(), SessionStore("a" * 32)))
    with pytest.raises(Foreign):
        Place.unsign(name, owner(ada, None))


def test_a_region_that_is_no_more_is_of_another_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = Place(Text, 1, "en", "/").sign("")
    monkeypatch.delitem(registry, "tests.Text")

    with pytest.raises(Outdated):
        Place.unsign(name, "")


def test_language_and_mount_travel_in_the_name() -> None:
    source = "{% live 'tests.Where' 1 %}"
    with override("de"):
        german = REGION.fullmatch(render(source))
    english = REGION.fullmatch(render(source))

    assert german
    assert english
    assert german[5] == "Montag Dienstag /"
    assert english[5] == "Monday Tuesday /"
    assert german[2] != english[2]
    assert Place.unsign(german[1], "").language == "de"


def test_the_time_zone_travels_in_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script may know its zone by the offset alone."""
    monkeypatch.setattr(
        Text, "get_context", lambda self, key: {"text": timezone.localtime(NEW_YEAR)}
    )
    offset = timezone.get_fixed_timezone(-90)
    for zone, hour in (("Asia/Tokyo", "9 a.m."), (offset, "10:30 p.m.")):
        with timezone.override(zone):
            found = REGION.fullmatch(render("{% live 'tests.Text' 1 %}"))
        assert found
        place = Place.unsign(found[1], "")
        states, _ = answer(Text, place.setting, [1], {})
        assert isinstance(states[1], State)
        assert states[1].html == found[5]
        assert hour in found[5]


def test_a_name_of_an_older_release_is_outdated() -> None:
    with pytest.raises(Outdated):
        Place.unsign(sign("live", "", "tests.Text", 1, "en", "/"), "")
    with pytest.raises(Foreign):
        Place.unsign(sign("listen", "", "news"), "")


def test_the_token_of_a_form_is_the_visitor_s(ada: Any) -> None:
    source = "{% live 'tests.Own' request.user.pk %}"
    first = REGION.fullmatch(render(source, request_of(ada)))
    second = REGION.fullmatch(render(source, request_of(ada)))

    assert first
    assert second
    assert f'name="csrfmiddlewaretoken" value="{first[4]}"' in first[5]
    assert first[4] != second[4]
    assert first[3] == second[3]


def test_a_region_cannot_be_within_another() -> None:
    with pytest.raises(TemplateSyntaxError, match="cannot be within the tag live"):
        render("{% live 'tests.Nested' 1 %}")


@pytest.mark.parametrize("tag", ["{% live 'tests.Text' 1 %}", "{% listen 'news' %}"])
def test_a_region_cannot_be_in_what_is_cached(tag: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="cannot be within the tag cache"):
        render("{% cache 60 x %}{% include part %}{% endcache %}", part=part(tag))


def part(tag: str) -> Template:
    return Template("{% load channels_live %}" + tag)


def test_the_template_gets_no_request(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Text, "template_name", "isolated.html")
    found = REGION.fullmatch(render("{% live 'tests.Text' 1 %}", request_of(ada)))
    states, _ = answer(Text, Place.of_page(Text, 1).setting, [1], {})

    assert found
    assert isinstance(states[1], State)
    assert found[5] == states[1].html == "[]x"


def test_needs_the_request() -> None:
    with pytest.raises(TemplateSyntaxError, match="needs the request"):
        part("{% live 'tests.Text' 1 %}").render(Context())


def test_a_region_is_at_most_64_kilobytes() -> None:
    assert render("{% live 'tests.Text' 65536 %}")
    with pytest.raises(ValueError, match="has 65,537 bytes; a region may have"):
        render("{% live 'tests.Text' 65537 %}")


def test_an_unknown_region_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        TemplateSyntaxError, match=r"no region 'tests\.Bell'.*tests\.Card"
    ):
        render("{% live 'tests.Bell' 1 %}")


def test_listens_to_a_group(ada: Any) -> None:
    html = render("{% listen 'news' %}", request_of(ada))

    found = re.fullmatch(r'<live-listen name="(.*)" topic="news"></live-listen>', html)
    assert found
    assert unsign("listen", found[1], f"user {ada.pk}") == ["news"]


@pytest.mark.django_db(transaction=True)
async def test_a_text_that_a_page_does_not_show_is_told_with_what_it_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.testing.WAIT", 0.5)
    with pytest.raises(AssertionError, match=r"^'yyy' is not in 'xxx'"):
        async with open_live(None, Text, 3) as page:
            await page.shows("yyy")


def test_renders_for_a_test(ada: Any) -> None:
    assert render_live(ada, Card, ada.pk) == "<b>Ada</b>"
    assert render_live(None, Closed, 1) is None


def follow(model: Any, field: str | None) -> None:
    names = {"template_name": "text.html", "follows": {model: field}}
    type("Follower", (Live,), {**names, "__module__": __name__})


@pytest.mark.parametrize("name", METHODS)
def test_a_coroutine_function_is_refused(name: str) -> None:
    async def method(self: Live, *args: object) -> bool:
        return False

    with pytest.raises(TypeError, match=f"Late.{name} must be a sync function"):
        type("Late", (Live,), {"template_name": "text.html", name: method})


@pytest.mark.django_db
def test_who_is_not_among_those_allowed_sees_nothing(
    ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Team, "allowed", lambda self, key, users: [ada])
    assert render_live(ada, Team, "Ada") is not None
    assert render_live(bob, Team, "Ada") is None


@pytest.mark.django_db
def test_what_no_socket_can_send_is_an_error(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Text, "get_context", lambda self, key: {"text": "\ud800"})
    with pytest.raises(ValueError, match="surrogates not allowed"):
        render_live(ada, Text, 1)


def test_two_regions_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match=r"two regions tests\.Text, in tests\.library"):
        type("Text", (Live,), {"template_name": "text.html", "__module__": __name__})
    assert registry["tests.Text"] is Text


def test_what_is_followed_is_a_field() -> None:
    with pytest.raises(TypeError, match=r"follows: users\.User\.nmae has no column"):
        follow(User, "nmae")
    with pytest.raises(TypeError, match=r"users\.User\.groups has no column. Follow"):
        follow(User, "groups")


def test_what_is_followed_is_a_model_class() -> None:
    with pytest.raises(
        TypeError, match=r"Follower\.follows: 'users\.User' is no model"
    ):
        follow("users.User", "pk")
    with pytest.raises(TypeError, match=r"List\.follows: expected a dictionary"):
        type("List", (Live,), {"follows": [User], "__module__": __name__})


def test_a_composite_primary_key_is_not_followed() -> None:
    class Seat(models.Model):
        pk = models.CompositePrimaryKey("row", "number")
        row = models.IntegerField()
        number = models.IntegerField()

        class Meta:
            app_label = "tests"

        def __str__(self) -> str:
            return f"{self.row}/{self.number}"

    with pytest.raises(
        TypeError, match=r"Seat\.pk has no column. Follow .* row, number"
    ):
        follow(Seat, "pk")


def test_a_table_that_django_made_is_not_followed() -> None:
    with pytest.raises(TypeError, match=r"creates .* for a many-to-many"):
        follow(User.groups.through, "user_id")
    with pytest.raises(TypeError, match=r"creates .* for a many-to-many"):
        follow(User.groups.through, None)
