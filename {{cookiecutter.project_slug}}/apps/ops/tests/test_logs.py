"""What is in the log: one line for each event, as JSON in production."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from django.test import Client

from apps.ops.logs import JSONFormatter
from apps.users.models import User


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that is logged, as production writes it."""
    handler = logging.StreamHandler(log := StringIO())
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    yield log
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
def test_a_request_is_one_line_and_says_whose(client: Client, log: StringIO) -> None:
    ada = User.objects.create_user("ada")
    client.force_login(ada)

    client.get("/", {"q": "secret"})

    line = json.loads(log.getvalue())
    assert (line["logger"], line["status"]) == ("access.http", 200)
    assert (line["path"], line["user"]) == ("/", str(ada.pk))
    assert "secret" not in log.getvalue()


def test_a_line_of_your_own_takes_fields_as_extra(log: StringIO) -> None:
    logging.getLogger("harbour").info("%d ships", 7, extra={"berth": 4})

    line = json.loads(log.getvalue())
    assert (line["message"], line["berth"]) == ("7 ships", 4)
