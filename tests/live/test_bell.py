"""The bell of docs/live.md, typed into a project, at work in browsers."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from baking import TREE, Kitchen, Variables, assert_all_passed
from bells import COUNT_SOCKETS, bell, is_live, notify, shows, type_bell, unread
from people import Person
from playwright.sync_api import Browser, Route, expect
from readmes import code
from recipes import type_header, type_page
from shells import Shell
from sites import Site, serve_project

DEACTIVATE = """
from apps.users.models import User
user = User.objects.get(username={name!r})
user.is_active = False
user.save()
"""
DENY = """
from apps.notifications.live import Bell
from apps.notifications.models import Notification
from apps.users.models import User
from channels_live import CloseCode, disconnect
user = User.objects.get(username={name!r})
Notification.objects.bulk_create([Notification(user=user, text="denied")])
Bell.changed(user.pk)
disconnect(user=user.pk, code=CloseCode.NOT_ALLOWED)
"""
FEED = {
    "urls.py": """
from apps.notifications.feed import feed_page
urlpatterns += [path("feed/", feed_page, name="feed")]
""",
    "channels_urls.py": """
from apps.notifications.feed import FeedConsumer
websocket_urlpatterns += [path("ws/feed/", FeedConsumer.as_asgi(), name="ws_feed")]
""",
}
# Pages, and whether the header of each has the bell of whoever is logged in.
VISIT = """
import json
from django.conf import settings
from django.test import Client
from apps.users.models import User

settings.DEBUG = False
clients = [Client(headers={"host": "localhost"}) for _ in range(2)]
clients[1].force_login(User.objects.create_user("ada"))
found = {}
for path in ("/", "/no-such/", "/accounts/password/reset/", "forged"):
    found[path] = []
    for client in clients:
        client.handler.enforce_csrf_checks = path == "forged"
        if path == "forged":
            page = client.post("/accounts/login/")
        else:
            page = client.get(path)
        header = page.content.decode().partition("</header>")[0]
        assert ("0 unread" in header) == (client is clients[1]), header
        found[path].append(page.status_code)
print(json.dumps(found))
"""
Invite = Callable[..., Person]


@pytest.fixture(scope="module")
def bells(kitchen: Kitchen) -> Iterator[Site]:
    project = kitchen.bake({"chat_client": "htmx"})
    type_bell(project)
    project.manage("startsocket", "notifications", "feed")
    for name, routes in FEED.items():
        with (project.path / "config" / name).open("a") as file:
            file.write(routes)
    with serve_project(project, "htmx") as site:
        yield site


@pytest.fixture
def come(browser: Browser, bells: Site) -> Iterator[Invite]:
    """Seats people at browsers that show the page; nothing may be wrong at the end."""
    people: list[Person] = []

    def come(name: str, *, path: str = "/page/", **options: object) -> Person:
        person = bells.invite(browser, name, **options)
        person.context.add_init_script(COUNT_SOCKETS)
        people.append(person)
        person.page.goto(path)
        return person

    yield come
    for person in people:
        person.context.close()
    assert [person.complaints for person in people if person.complaints] == []


def test_is_the_bell_of_the_readme() -> None:
    typed = (TREE / "docs" / "live.md").read_text("utf-8")
    beginning = (TREE.parent / "README.md").read_text("utf-8").partition("\n## ")[0]
    for language in ("python", "html"):
        (shown,) = code(beginning, language)
        assert shown in typed


def test_the_bell_of_the_header_is_on_all_pages(
    kitchen: Kitchen, sqlite: Variables
) -> None:
    project = kitchen.bake({})
    type_page(project, "live.md")
    type_page(project, "jobs.md")
    type_header(project, "live.md")
    with Shell(project, sqlite) as shell:
        shell.migrate()
        printed = shell.run(VISIT)
        assert json.loads(printed.splitlines()[-1]) == {
            "/": [200, 200],
            "/no-such/": [404, 404],
            "/accounts/password/reset/": [200, 200],
            "forged": [403, 403],
        }
    # The project's own tests pass as before, where more has a user now.
    chat = [f"apps/chat/tests/test_{name}.py" for name in ("admin", "room_page")]
    paths = ("apps/web", "apps/users", *chat)
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *paths)
    assert_all_passed(done.stdout)


def test_the_home_page_counts_people(come: Invite, bells: Site) -> None:
    ada = come("ada", path="/")
    count = ada.page.locator("live-region strong")
    before = int(count.inner_text())

    bells.settle("newcomer")

    expect(count).to_have_text(str(before + 1))


def test_shows_the_state_without_javascript(come: Invite, bells: Site) -> None:
    ada = come("ada", java_script_enabled=False)
    before = unread(ada)
    notify(bells)
    ada.page.reload()
    assert unread(ada) == before + 1


def test_changes_of_another_process_show_in_all_browsers(
    come: Invite, bells: Site
) -> None:
    ada, tab, bob = come("ada"), come("ada"), come("bob")
    for person in (ada, tab, bob):
        is_live(person)
    before, bobs = unread(ada), unread(bob)
    notify(bells)
    shows(ada, before + 1)
    shows(tab, before + 1)
    shows(bob, bobs)


def test_nobody_else_shows_it(come: Invite) -> None:
    nobody = come("")
    expect(bell(nobody)).to_have_count(0)
    assert nobody.page.evaluate("sockets.length") == 1  # the page listens to news


def test_a_page_without_regions_opens_no_socket(come: Invite) -> None:
    ada = come("ada", path="/accounts/email/")
    ada.page.wait_for_timeout(500)
    assert ada.page.evaluate("sockets.length") == 0


def test_is_present_after_it_was_offline(come: Invite, bells: Site) -> None:
    ada = come("ada")
    is_live(ada)
    before = unread(ada)
    ada.context.set_offline(True)
    ada.page.evaluate("sockets.at(-1).close()")
    expect(bell(ada)).to_have_attribute("data-state", "offline")
    said = ada.page.get_by_text("Offline. Parts of this page may be out of date.")
    expect(said).to_be_visible()
    notify(bells)
    ada.page.wait_for_timeout(1500)
    assert unread(ada) == before
    ada.context.set_offline(False)
    shows(ada, before + 1, timeout=15_000)
    is_live(ada)
    expect(said).to_be_hidden()
    ada.complaints.clear()  # of the attempts to connect


def test_swaps_bring_and_take_regions_with_one_socket(
    come: Invite, bells: Site
) -> None:
    ada = come("ada")
    is_live(ada)
    for _ in range(3):
        ada.page.get_by_role("button", name="ada").click()
        is_live(ada, "#parts")
        ada.page.get_by_role("button", name="nobody").click()
        expect(bell(ada, "#parts")).to_have_count(0)
    ada.page.get_by_role("button", name="bob").click()  # that she may not see
    expect(ada.page.locator("#parts")).to_have_text("part")
    assert ada.page.evaluate("sockets.length") == 1
    before = unread(ada)
    notify(bells)
    shows(ada, before + 1)


def test_a_page_has_a_thousand_regions(come: Invite, bells: Site) -> None:
    bob = come("bob", path="/tiles/")
    regions = bob.page.locator("live-region")
    live = bob.page.locator("live-region[data-state=live]")
    expect(live).to_have_count(1000, timeout=30_000)
    count = int(regions.first.inner_text())
    bob.page.evaluate("sockets.at(-1).close()")
    expect(live).to_have_count(0)
    expect(live).to_have_count(1000, timeout=30_000)

    notify(bells)
    bells.shell.run("from apps.notifications.live import Tile; Tile.changed_all()")

    shown = regions.filter(has_text=re.compile(f"^{count + 1}$"))
    expect(shown).to_have_count(1000, timeout=30_000)


def test_a_login_that_ends_takes_the_content_along(come: Invite, bells: Site) -> None:
    bells.settle("zoe")
    zoe = come("zoe")
    is_live(zoe)
    bells.shell.run(DEACTIVATE.format(name="zoe"))
    expect(bell(zoe)).to_have_attribute("data-state", "gone", timeout=5000)
    expect(bell(zoe)).to_have_text("")


def test_what_may_be_seen_no_more_leaves_at_once_after_disconnect(
    come: Invite, bells: Site
) -> None:
    bells.settle("kim")
    kim = come("kim", path="/desk/")
    desk, own = kim.page.locator("live-region").all()
    for region in (desk, own):
        expect(region).to_have_attribute("data-state", "live")

    bells.shell.run(DENY.format(name="kim"))

    expect(desk).to_have_attribute("data-state", "gone", timeout=5000)
    expect(desk).to_have_text("")
    expect(own).to_have_text("1 unread")
    expect(own).to_have_attribute("data-state", "live")


def test_shows_what_is_published(come: Invite, bells: Site) -> None:
    ada = come("ada")
    is_live(ada)
    news = ada.page.locator("#news")
    ada.page.request.get("/say/?html=<p id=n1>first</p><p>second</p>")
    expect(news).to_have_text("firstsecond")
    ada.page.request.get("/say/?html=<p id=n1>changed</p>")
    expect(news).to_have_text("changedsecond")


def test_hears_what_is_published_to_its_user(come: Invite, bells: Site) -> None:
    ada, bob = come("ada", path="/own/"), come("bob", path="/own/")
    for person in (ada, bob):
        listener = person.page.locator("#own live-listen")
        expect(listener).to_have_attribute("data-state", "live")
    for name in ("ada", "bob"):
        ada.page.request.get(f"/say/{name}/")
    for person, name in ((ada, "ada"), (bob, "bob")):
        expect(person.page.locator("#own")).to_have_text(f"{name} alone")


def test_a_form_of_an_updated_region_can_be_sent(come: Invite, bells: Site) -> None:
    ada = come("ada", path="/desk/")
    desk = ada.page.locator("live-region").first
    expect(desk).to_have_attribute("data-state", "live")
    count = int(ada.page.locator("#within-count").inner_text())
    notify(bells)
    expect(ada.page.locator("#within-count")).to_have_text(str(count + 1))
    desk.get_by_role("button", name="Send").click()
    expect(ada.page.locator("body")).to_have_text("POST arrived")


def test_a_page_of_another_release_is_loaded_anew_once(come: Invite) -> None:
    ada = come("ada", path="/own/")
    loads: list[str] = []
    ada.page.on("framenavigated", lambda frame: loads.append(frame.url))
    ada.page.goto("/gone/")
    ada.page.wait_for_timeout(3000)
    assert len(loads) == 2, loads
    gone = ada.page.locator("live-region")
    expect(gone).to_have_attribute("data-state", "offline")


def test_the_page_of_the_back_button_is_confirmed_first(
    come: Invite, bells: Site
) -> None:
    ada = come("ada")
    is_live(ada)
    before = unread(ada)
    ada.page.get_by_role("link", name="elsewhere").click()
    notify(bells)
    ada.page.go_back()
    shows(ada, before + 1, timeout=5000)
    is_live(ada)


def test_boosted_pages_share_one_socket(come: Invite, bells: Site) -> None:
    ada = come("ada")
    ada.page.evaluate("window.isFirst = true")
    for _ in range(3):
        is_live(ada)
        ada.page.get_by_role("link", name="boosted").click()
        expect(ada.page).to_have_url(re.compile("again"))
        ada.page.wait_for_timeout(300)
    is_live(ada)
    before = unread(ada)
    notify(bells)
    shows(ada, before + 1)
    assert ada.page.evaluate("isFirst && sockets.length") == 1


def test_on_boosted_pages_a_form_is_sent_through_its_socket_alone(
    come: Invite, bells: Site
) -> None:
    bells.settle("fay")
    fay = come("fay")
    fay.page.evaluate("document.body.setAttribute('hx-boost', true)")
    fay.page.evaluate("htmx.process(document.body)")
    fay.page.evaluate("window.isFirst = true")
    fay.page.get_by_role("link", name="feed").click()
    expect(fay.page.get_by_role("status")).to_have_text("Online")
    field = fay.page.get_by_label("Say something")
    field.fill("hello")
    field.press("Enter")
    expect(fay.page.get_by_role("log").locator("li")).to_have_text("fay: hello")
    fay.page.wait_for_timeout(300)
    assert fay.page.url.endswith("/feed/")
    expect(fay.page.get_by_role("log").locator("li")).to_have_count(1)
    assert fay.page.evaluate("isFirst")

    # When the login ends, nothing can be sent.
    bells.shell.run(DEACTIVATE.format(name="fay"))
    expect(fay.page.get_by_role("button", name="Send")).to_be_disabled()


def test_nothing_of_a_region_is_kept_in_the_browser_s_storage(come: Invite) -> None:
    ada = come("ada")
    is_live(ada)
    ada.page.request.get("/say/?html=<p>secret news</p>")
    expect(ada.page.locator("#news")).to_have_text("secret news")
    ada.page.evaluate("window.isFirst = true")
    ada.page.get_by_role("link", name="boosted").click()
    expect(ada.page).to_have_url(re.compile("again"))
    is_live(ada)
    assert ada.page.evaluate("isFirst")
    stored = ada.page.evaluate(
        "JSON.stringify([{ ...sessionStorage }, { ...localStorage }])"
    )
    assert "secret" not in stored
    assert " unread" not in stored
    ada.page.go_back()
    is_live(ada)
    expect(bell(ada)).to_have_text(re.compile("unread"))


def test_a_page_that_was_kept_is_hidden_until_it_is_confirmed(come: Invite) -> None:
    """Playwright's Chromium keeps none, so the page is told that it was."""
    ada = come("ada")
    is_live(ada)
    ada.context.set_offline(True)
    ada.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    ada.page.evaluate(
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    )
    ada.page.wait_for_timeout(500)
    expect(bell(ada)).to_be_hidden()
    ada.context.set_offline(False)
    expect(bell(ada)).to_be_visible(timeout=15_000)
    is_live(ada)
    ada.complaints.clear()  # of the attempts to connect


def test_a_login_without_a_new_page_opens_a_socket_of_its_own(
    come: Invite, bells: Site
) -> None:
    ada = come("")
    expect(ada.page.locator("live-listen")).to_have_attribute("data-state", "live")
    session, url = bells.sessions["ada"], bells.server.url
    ada.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    pk = bells.shell.run(
        "from apps.users.models import User; print(User.objects.get(username='ada').pk)"
    ).split()[-1]
    ada.page.evaluate(f"htmx.ajax('GET', '/part/{pk}/', '#parts')")
    is_live(ada, "#parts")
    assert ada.page.evaluate("sockets.length") == 2


def test_what_is_beside_a_region_stays_as_it_is(come: Invite, bells: Site) -> None:
    """What is within does not, as docs/live.md says."""
    ada = come("ada", path="/desk/")
    desk = ada.page.locator("live-region").first
    expect(desk).to_have_attribute("data-state", "live")
    for part in ("within", "beside"):
        ada.page.locator(f"#{part}-details summary").click()
        ada.page.locator(f"#{part}-lines").evaluate("box => (box.scrollTop = 100)")
        ada.page.fill(f"#{part}-text", "typed")
    text = ada.page.locator("#beside-text")
    text.evaluate("field => field.setSelectionRange(1, 3)")
    count = int(ada.page.locator("#within-count").inner_text())
    kept = """part => [
      document.getElementById(`${part}-text`).value,
      document.getElementById(`${part}-details`).open,
      document.getElementById(`${part}-lines`).scrollTop > 0,
    ]"""

    notify(bells)

    expect(ada.page.locator("#within-count")).to_have_text(str(count + 1))
    expect(text).to_be_focused()
    assert text.evaluate("field => [field.selectionStart, field.selectionEnd]") == [
        1,
        3,
    ]
    assert ada.page.evaluate(kept, "beside") == ["typed", True, True]
    assert ada.page.evaluate(kept, "within") == ["", False, False]


MISPLACED = [
    ("<p>{}</p>", "<ul></ul>"),
    ("<table>{}</table>", "<tr><td>1</td></tr>"),
    ("<div>{}</div>", "<b>not closed"),
]


@pytest.mark.parametrize(
    ("place", "content"), [*MISPLACED, ("<svg>{}</svg>", "<circle r='9' />")]
)
def test_a_region_whose_content_is_parsed_away_from_it_is_told(
    come: Invite, place: str, content: str
) -> None:
    def misplace(route: Route) -> None:
        response = route.fetch()
        body, count = re.subn(
            "(<live-region [^>]*>).*?(<!--live-region--></live-region>)",
            place.format(rf"\1{content}\2"),
            response.text(),
            count=1,
            flags=re.S,
        )
        assert count
        route.fulfill(response=response, body=body)

    ada = come("ada", path="/desk/")
    ada.page.route("**/desk/", misplace)
    ada.page.reload()
    ada.page.close()
    told = [one for one in ada.complaints if "no such region here" in one]
    assert len(told) == 1
    ada.complaints.clear()  # also that an altered page may open no socket


@pytest.mark.parametrize(("place", "content"), MISPLACED)
def test_so_is_one_that_is_swapped_in(come: Invite, place: str, content: str) -> None:
    ada = come("ada", path="/desk/")
    desk = ada.page.locator("live-region").first
    expect(desk).to_have_attribute("data-state", "live")
    before, after = place.format(" ").split(" ")
    ada.page.evaluate(
        """([before, content, after]) => {
          const desk = document.querySelector("live-region");
          const [tag, end] = desk.cloneNode().outerHTML.split("></");
          desk.parentElement.innerHTML =
            `${before}${tag}>${content}<!--live-region--></${end}${after}`;
        }""",
        [before, content, after],
    )
    ada.page.wait_for_timeout(200)
    told = [one for one in ada.complaints if "no such region here" in one]
    assert len(told) == 1
    ada.complaints.clear()


def test_a_page_whose_comments_a_proxy_takes_out_is_right(come: Invite) -> None:
    def strip(route: Route) -> None:
        response = route.fetch()
        body, count = re.subn("<!--.*?-->", "", response.text(), flags=re.S)
        assert count
        route.fulfill(response=response, body=body)

    ada = come("ada", path="/desk/")
    ada.page.route("**/desk/", strip)
    ada.page.reload()
    ada.page.wait_for_timeout(200)
    assert not [one for one in ada.complaints if "no such region here" in one]
    ada.complaints.clear()  # that an altered page may open no socket


def test_an_element_that_is_morphed_into_another_region(
    come: Invite, bells: Site
) -> None:
    ada = come("ada", path="/desk/")
    desk, own = ada.page.locator("live-region").all()
    expect(desk).to_have_attribute("data-state", "live")
    expect(own).to_have_attribute("data-state", "live")
    topic = desk.get_attribute("topic")
    assert topic
    ada.page.evaluate(
        """() => {
          const [desk, own] = document.querySelectorAll("live-region");
          desk.setAttribute("topic", own.getAttribute("topic"));
          desk.setAttribute("name", own.getAttribute("name"));
        }"""
    )
    expect(desk).to_have_text(re.compile(r"^\s*\d+ unread\s*$"))
    assert f'"unwatch":["{topic}"]' in ada.page.evaluate("sent")


def test_pages_with_regions_keep_a_strict_policy(come: Invite, bells: Site) -> None:
    """Browsers complain of what is against it: see come()."""
    ada = come("ada")
    response = ada.page.reload()
    assert response
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    is_live(ada)
    before = unread(ada)
    notify(bells)
    shows(ada, before + 1)


def test_axe_finds_nothing_on_a_page_with_regions(come: Invite, bells: Site) -> None:
    for path in ("/page/", "/desk/"):
        ada = come("ada", path=path)
        for state in ("live", "offline"):
            regions = ada.page.locator(f"live-region[data-state={state}]")
            expect(regions.first).to_be_visible(timeout=15_000)
            if state == "offline":
                expect(ada.page.get_by_text("Offline.")).to_be_visible()
            results = Axe().run(ada.page)
            assert results.violations_count == 0, results.generate_report()
            ada.page.context.set_offline(True)
            ada.page.evaluate("sockets.at(-1).close()")
        ada.page.close()
        ada.complaints.clear()  # of the attempts to connect


def test_twenty_tabs_of_one_person(come: Invite, bells: Site) -> None:
    """One more is let in when one is closed."""
    eve = come("eve")
    tabs = [eve.page, *(eve.new_tab() for _ in range(19))]
    for tab in tabs[1:]:
        tab.goto("/page/", wait_until="commit")
    for tab in tabs:
        live = tab.locator("#bell live-region[data-state=live]")
        expect(live).to_be_visible(timeout=30_000)
    last = eve.new_tab()
    last.goto("/page/")
    before = unread(eve)
    notify(bells, "eve")
    for tab in tabs:
        expect(tab.locator("#bell")).to_have_text(f"{before + 1} unread")
    region = last.locator("#bell live-region")
    expect(region).to_have_attribute("data-state", "offline")

    eve.page.close()

    expect(region).to_have_attribute("data-state", "live", timeout=15_000)
    expect(region).to_have_text(f"{before + 1} unread")


@pytest.fixture(scope="module")
def keeping_browser(open_browser: Callable[..., Browser]) -> Iterator[Browser]:
    """A browser that keeps pages for its back button, as people's do."""
    browser = open_browser(ignore_default_args=["--disable-back-forward-cache"])
    yield browser
    browser.close()


@pytest.mark.parametrize("is_logged_in", [True, False])
def test_a_page_that_a_browser_kept_is_not_shown_as_it_was(
    keeping_browser: Browser, bells: Site, is_logged_in: bool
) -> None:
    bob = bells.invite(keeping_browser, "bob")
    bob.page.goto("/page/")
    is_live(bob)
    before = unread(bob)
    bob.page.evaluate(
        """() => addEventListener("pageshow", ({ persisted }) => {
          window.wasKept = persisted;
          window.wasHidden = document.querySelector("live-region").hidden;
        })"""
    )
    bob.page.get_by_role("link", name="elsewhere").click()
    expect(bob.page).to_have_url(re.compile("email"))
    if not is_logged_in:
        bob.context.clear_cookies()
    notify(bells, "bob")
    bob.page.evaluate("void setTimeout(() => history.back())")
    expect(bob.page).to_have_url(re.compile("/page/"))
    assert bob.page.evaluate("[wasKept, wasHidden]") == [True, True]
    if is_logged_in:
        shows(bob, before + 1, timeout=5000)
        is_live(bob)
    else:
        expect(bell(bob)).to_have_attribute("data-state", "gone")
        expect(bell(bob)).to_have_text("")
    bob.context.close()
