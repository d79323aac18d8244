"""Names of groups, whatever the type of the key in them."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import models

from channels_live import disconnect, group_name, key_of, recheck, user_group
from channels_live.base.messages import check_name, to_key


@pytest.mark.parametrize(
    "key", [7, uuid4(), "ada", "Zoë B.", "a_b", "a%20b", "🦆", "_5f"]
)
def test_a_key_comes_back_out_of_a_name(key: Any) -> None:
    name = group_name("chat.room", key)

    check_name(name)
    assert key_of(name) == str(key)


def test_names_of_plain_keys_are_plain() -> None:
    assert group_name("chat.room", 7) == "chat.room.7"


def test_a_user_is_the_same_by_number_and_by_text(ada: Any) -> None:
    assert user_group(ada.pk) == user_group(str(ada.pk))


def test_what_is_no_key_of_a_user_is_an_error() -> None:
    with pytest.raises(ValueError, match="primary key of a user"):
        user_group(None)
    with pytest.raises(ValueError, match="primary key of a user"):
        recheck(None)


def test_a_row_or_nothing_is_no_key(ada: Any) -> None:
    for key in (None, ada):
        with pytest.raises(ValueError, match="such as the pk of a row"):
            group_name("orders", key)
        with pytest.raises(ValueError, match="primary key of a user"):
            user_group(key)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.UUIDField(), 5),
        (models.IntegerField(), uuid4()),
        (models.IntegerField(), "five"),
        (models.CharField(), (1, 2)),
    ],
)
def test_a_key_of_another_type_is_none(field: Any, value: Any) -> None:
    assert to_key(field, value) is None


@pytest.mark.parametrize("code", [999, 1005, 1006, 1015, 2000, 5000])
def test_a_code_that_no_server_may_send_is_an_error(code: int) -> None:
    with pytest.raises(ValueError, match="code that servers may send"):
        disconnect(user=1, code=code)


def test_a_session_is_no_session_key() -> None:
    with pytest.raises(TypeError, match="a session key as str"):
        disconnect(session=SessionStore())  # type: ignore[arg-type]
