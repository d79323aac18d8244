"""What someone without a login is counted by."""

from typing import Any

import pytest

from channels_live.handshake.limits import network_of


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("", ""),
    ],
)
def test_who_has_many_addresses_is_one(client: str, name: str) -> None:
    scope: Any = {"client": (client, 5000)}

    assert network_of(scope) == name
