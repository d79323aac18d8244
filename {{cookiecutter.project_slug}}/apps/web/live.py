"""Live regions of the pages here; docs/live.md shows how to write one."""

from typing import Any

from apps.users.models import User
from channels_live import Live


class People(Live):
    """The number of accounts. It has no key: the page gives only its name."""

    template_name = "web/people.html"
    follows = {User: None}

    def allows(self, user: Any, key: str) -> bool:
        return True

    def get_context(self, key: str) -> dict[str, Any]:
        return {"count": User.objects.count()}
