from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy

from channels_live.base.frames import InvalidFrame, decode, encode


def test_an_object_is_decoded() -> None:
    assert decode('{"message": "h\\u00e9 \\ud83d\\ude80", "n": [1, null]}') == {
        "message": "hé 🚀",
        "n": [1, None],
    }


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (None, "got binary data"),
        ("", "Expected JSON, got something else"),
        ("{'message': 1}", "Expected JSON, got something else"),
        ("[" * 100_000, "Expected JSON, got something else"),
        ("1" * 5000, "Expected JSON, got something else"),
        ("[]", "Expected a JSON object"),
        ("1", "Expected a JSON object"),
        ("null", "Expected a JSON object"),
        ('{"a":' * 100_000, "Expected JSON, got something else"),
        ('{"a": "\\ud800"}', "Expected JSON, got something else"),
        ('{"\\ud800": 1}', "Expected JSON, got something else"),
        ('{"a": NaN}', "Expected JSON, got something else"),
        ('{"a": [-Infinity]}', "Expected JSON, got something else"),
        ('{"a": 1e999}', "Expected JSON, got something else"),
    ],
    ids=lambda value: f"{value!a:.20}",
)
def test_what_is_no_object_is_told(frame: str | None, sentence: str) -> None:
    with pytest.raises(InvalidFrame, match=sentence):
        decode(frame)


def test_what_is_decoded_can_be_sent_again() -> None:
    frame = '{"a":[[{}]],"b":[1e300,"é",null]}'
    assert encode(decode(frame)) == f"[{frame}]".replace("1e300", "1e+300")


class Loop(dict[str, Any]):
    """Holds itself."""

    def __init__(self) -> None:
        super().__init__(itself=self)


@pytest.mark.parametrize(
    ("event", "error", "sentence"),
    [
        ({"at": date(2030, 1, 1)}, TypeError, r"type date .*Call str\(\) on a date"),
        ({"id": UUID(int=7)}, TypeError, "type UUID .*a UUID"),
        ({"price": Decimal(1)}, TypeError, "type Decimal "),
        ({"word": gettext_lazy("Yes")}, TypeError, "type __proxy__ "),
        ({"raw": b"x"}, TypeError, "type bytes "),
        ({("a", "b"): 1}, TypeError, "keys must be str"),
        ({"all": {1, 2}}, TypeError, "type set "),
        ({"n": [float("nan")]}, ValueError, "Out of range float"),
        ({"n": float("inf")}, ValueError, "Out of range float"),
        ({"half": "\ud800"}, ValueError, "surrogates"),
        (Loop(), ValueError, "Circular reference|recursion"),
        ([{"type": "paid"}], TypeError, "as a dictionary, got list: "),
        ("<p>", TypeError, "as a dictionary, got str: '<p>'"),
        (None, TypeError, "as a dictionary, got NoneType: None"),
    ],
    ids=lambda value: f"{value!a:.20}",
)
def test_an_event_that_is_no_json_is_told(
    event: Any, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        encode(event)
