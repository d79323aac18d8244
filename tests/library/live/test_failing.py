"""What a page shows of a region that fails when the page is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Never

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, transaction

from channels_live.live import pages
from channels_live.process import get_process
from channels_live.testing import WAIT, open_socket
from tests.library.live import regions
from tests.library.live.regions import Card
from tests.library.live.test_pages import REGION, render, request_of

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "{% live 'tests.Card' key %}"


@contextmanager
def in_production() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "sys", SimpleNamespace(modules={}))
        yield


def fail(*args: object) -> Never:
    raise RuntimeError("not thought of")


def query(*args: object) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nonsense")
    return {}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("get_context", fail),
        ("get_context", query),
        ("template_name", "wrong.html"),
        ("template_name", "missing.html"),
        ("allows", fail),
        ("allowed_keys", fail),
        ("get_contexts", fail),
    ],
)
async def test_is_empty_until_the_socket_fills_it(
    ada: Any,
    name: str,
    wrong: object,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    request = request_of(ada)
    with monkeypatch.context() as patch, in_production():
        patch.setattr(Card, name, wrong)
        html = await sync_to_async(render)(CARD, request, key=ada.pk)
        (error,) = [record for record in caplog.records if record.exc_info]
        assert "tests.Card fails" in error.getMessage()
        found = REGION.fullmatch(html)
        assert found, html
        signed, _, digest, _, shown = found.groups()
        assert not shown
        async with open_socket("/ws/live/", ada) as socket:
            await socket.send_json_to({"watch": [[signed, digest]]})
            if name in ("allows", "allowed_keys"):
                (event,) = await socket.receive_json_from(WAIT)
                assert event["gone"]
            assert await socket.receive_nothing(0.2)
            patch.undo()
            await get_process().check_sockets()
            (event,) = await socket.receive_json_from(WAIT)
            assert event["html"] == "<b>Ada</b>"


@pytest.mark.parametrize("name", ["allows", "get_context"])
def test_raises_in_tests(name: str, monkeypatch: pytest.MonkeyPatch, ada: Any) -> None:
    monkeypatch.setattr(Card, name, fail)
    with pytest.raises(RuntimeError, match="not thought of"):
        render(CARD, request_of(ada), key=ada.pk)


def test_so_it_does_with_debug(ada: Any, settings: Any) -> None:
    settings.DEBUG = True
    regions.failing.add(ada.pk)
    with in_production(), pytest.raises(RuntimeError, match="not thought of"):
        render(CARD, request_of(ada), key=ada.pk)


def test_of_a_list_the_row_alone_is_empty_and_none_that_may_not_be_seen(
    ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = regions.User.objects.create_user("eve", first_name="Eve")
    regions.failing.add(ada.pk)

    def allows(self: Card, user: Any, key: Any) -> bool:
        return bool(key != eve.pk)

    monkeypatch.setattr(Card, "allows", allows)
    with in_production():
        html = render(
            "{% live_list 'tests.Card' keys %}",
            request_of(ada),
            keys=[ada.pk, bob.pk, eve.pk],
        )

    assert html.count("<live-region") == 2
    assert "<b>Bob</b>" in html
    assert html.index("<!--live-region-->") < html.index("<b>Bob</b>")


def test_an_error_that_may_have_broken_the_page_s_transaction_is_raised(
    ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Card, "get_context", query)
    with in_production(), pytest.raises(DatabaseError, match="nonsense"):  # noqa: SIM117
        with transaction.atomic():
            render(
                "{% live_list 'tests.Card' keys %}",
                request_of(ada),
                keys=[ada.pk, bob.pk],
            )


async def test_a_page_in_async_code_shows_what_works(ada: Any) -> None:
    with in_production():
        html = render(CARD, request_of(ada), key=ada.pk)
    assert "<b>Ada</b>" in html
