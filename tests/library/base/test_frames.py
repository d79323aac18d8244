import pytest

from channels_live.consumers import InvalidFrame, decode


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
    ],
    ids=lambda value: f"{value!a:.20}",
)
def test_what_is_no_object_is_told(frame: str | None, sentence: str) -> None:
    with pytest.raises(InvalidFrame, match=sentence):
        decode(frame)
