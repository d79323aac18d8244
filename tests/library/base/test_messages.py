"""Names of groups, whatever the type of the key in them."""

from typing import Any
from uuid import uuid4

import pytest

from channels_live import group_name, key_of, recheck, user_group
from channels_live.base.messages import check_name


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
