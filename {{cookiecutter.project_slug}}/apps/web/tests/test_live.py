import pytest

from apps.users.models import User
from apps.web.live import People
from channels_live.testing import live_changes, render_live


@pytest.mark.django_db
def test_everybody_sees_how_many_people_there_are() -> None:
    with live_changes() as changes:
        User.objects.create_user("ada")

    assert ("web.People", None) in changes
    assert "<strong>1</strong> person has" in (render_live(None, People, "") or "")
