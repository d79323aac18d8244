"""Markup gets nowhere: it stays text, and the policy has nothing to report."""

from collections.abc import Callable
from urllib.parse import urlsplit

from people import Person
from playwright.sync_api import Page, expect
from serving import free_port, serve
from sites import Site, runserver

Invite = Callable[..., Person]

# Each would call hacked(1) if anything in it came to life.
PAYLOADS = (
    "<script>hacked(1)</script>",
    "<img src=x onerror=hacked(1)>",
    "<svg onload=hacked(1)>",
    "<svg><script>hacked(1)</script></svg>",
    "<iframe srcdoc='<script>parent.hacked(1)</script>'></iframe>",
    "<math><mtext></p><style><img src=x onerror=hacked(1)></style>",
    "'\"><img src=x onerror=hacked(1)>",
    '" autofocus onfocus=hacked(1) x="',
    "</textarea></title></script></template><script>hacked(1)</script>",
    "<a href=javascript:hacked(1)>javascript:hacked(1)</a>",
    "javascript:hacked(1)//example.org",
    'http://example.org/"onmouseover=hacked(1)//',
    "https://example.org/'><svg/onload=hacked(1)>",
    "<details open ontoggle=hacked(1)>",
    "<b hx-on:load='hacked(1)' hx-get='/admin/' hx-trigger=load>",
    "<div hx-swap-oob=innerHTML:body>gone</div>",
    "<ol data-append-to=messages><li>forged</li></ol>",
    "<p id=error data-client-id=x>forged</p>",
    "{{ 7|add:7 }}{% debug %}{{ request }}",
    "${hacked(1)}`hacked(1)`",
    "\u202e<script>hacked(1)</script>\u2028\u2029&lt;script&gt;&#x3c;b&#62;",
)
NAME = "<img src=x onerror=hacked(1)>\"'><script>hacked(1)</script>"
ROOM = "<svg onload=hacked(1)>\"'</title><i>"
WATCH = """
window.alive = [];
window.hacked = () => alive.push("hacked");
document.addEventListener("securitypolicyviolation", (event) =>
  alive.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def watch(person: Person) -> None:
    person.context.add_init_script(WATCH)


def is_inert(page: Page) -> None:
    assert page.evaluate("alive") == []
    tags = page.locator("main").locator("script, img, svg, iframe, math, style, object")
    assert tags.count() == 0


def test_markup_stays_text(invite: Invite, chat: Site) -> None:
    chat.settle("mallory")
    chat.shell.run(
        "from apps.chat.models import Room\n"
        "from apps.users.models import User\n"
        f"User.objects.filter(username='mallory').update(username={NAME!r})\n"
        f"Room.objects.create(name={ROOM!r}, slug='markup', is_private=True,"
        f" creator=User.objects.get(username={NAME!r})).members.set("
        " User.objects.all())"
    )
    chat.fill("markup", *[(NAME, text) for text in PAYLOADS])
    mallory, ada = invite("mallory"), invite("ada")
    for person in (mallory, ada):
        watch(person)
        person.visit("markup")
    # Live, pending and stored; as typing, in the roster, the members and the title.
    mallory.field.focus()
    for text in PAYLOADS[:8]:
        mallory.field.fill(text)
        mallory.field.press("Enter")
    for person in (mallory, ada):
        person.sees(*PAYLOADS, *PAYLOADS[:8])
        assert person.page.locator(".text").all_inner_texts() == [
            *PAYLOADS,
            *PAYLOADS[:8],
        ]
        for link in person.page.locator(".text a").all():
            address = link.get_attribute("href") or ""
            assert urlsplit(address).scheme in {"http", "https", "mailto"}
        assert ROOM in person.page.title()
        expect(person.page.locator("h1")).to_have_text(ROOM)
        expect(person.page.locator("#presence")).to_contain_text(NAME)
        person.page.locator(".members summary").click()
        expect(person.page.locator(".members")).to_contain_text(NAME)
    mallory.field.press_sequentially("h")
    expect(ada.page.locator("#typing")).to_contain_text(NAME)
    for person in (mallory, ada):
        person.page.mouse.move(300, 300)
        is_inert(person.page)
    ada.page.goto("/chat/")
    expect(ada.page.locator(".rooms")).to_contain_text(ROOM)
    is_inert(ada.page)
    # What one types that is refused comes back as text, too.
    ada.page.fill("input[name=name]", "<b onclick=hacked(1)>" * 2)
    ada.page.keyboard.press("Enter")
    ada.is_online()
    is_inert(ada.page)


PAGES = (
    *("/", "/chat/", "/chat/policy/", "/chat/policy/?before=9", "/no-such-page"),
    *("/accounts/email/", "/accounts/password/change/", "/accounts/logout/"),
    *("/admin/", "/admin/users/user/", "/admin/users/user/add/"),
    *("/admin/chat/room/", "/admin/chat/room/add/", "/admin/chat/message/"),
    *("/admin/sites/site/1/change/", "/admin/password_change/"),
)
PRODUCTION = {
    "DEBUG": "false",
    "ALLOWED_HOSTS": "127.0.0.1",
    "USE_HTTPS_IN_ABSOLUTE_URLS": "false",
}
ANONYMOUS_PAGES = (
    *("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"),
    "/admin/login/",
)


def test_no_page_breaks_its_policy(invite: Invite, chat: Site) -> None:
    """In production: Django's debugging pages have no policy."""
    chat.fill("policy", *[("ada", f"line {number}") for number in range(60)])
    chat.project.manage("collectstatic", "--noinput", env=PRODUCTION)
    margaret, nobody = invite("margaret"), invite("")
    project, port = chat.project, free_port()
    command = runserver(project, port)
    with serve(command, cwd=project.path, port=port, env=PRODUCTION) as server:
        for person, paths in ((margaret, PAGES), (nobody, ANONYMOUS_PAGES)):
            watch(person)
            for path in paths:
                answer = person.page.goto(server.url + path)
                assert answer
                assert answer.status == (404 if "no-such" in path else 200), path
                policy = answer.headers["content-security-policy"]
                assert "'unsafe-" not in policy
                assert "script-src 'self'" in policy
                assert person.page.evaluate("alive") == [], path
        margaret.page.goto(server.url + "/chat/policy/")
        margaret.is_online()
        margaret.field.focus()
        margaret.say("in production")
        expect(margaret.messages.last).to_contain_text("in production")
        expect(margaret.page.locator(".pending")).to_have_count(0)
        assert margaret.page.evaluate("alive") == []
        margaret.page.goto("about:blank")
    # A page that is not there is an error that browsers log.
    margaret.complaints[:] = [one for one in margaret.complaints if "404" not in one]


def test_the_policy_would_be_heard(invite: Invite) -> None:
    """The tests above would notice: an inline script is refused and reported."""
    ada = invite("ada")
    watch(ada)
    ada.page.goto("/chat/")
    ada.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "hacked(1)";
          document.body.append(script);
          const image = "<img src=x onerror=hacked(1)>";
          document.body.insertAdjacentHTML("beforeend", image);
        }"""
    )
    ada.page.wait_for_timeout(200)
    heard = ada.page.evaluate("alive")
    assert len(heard) == 2
    assert all(one.startswith("script-src") for one in heard)
    assert ada.complaints
    ada.page.goto("about:blank")  # what is still to be said of the image is not
    ada.complaints.clear()
