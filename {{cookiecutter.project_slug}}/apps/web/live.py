"""Live regions of the pages here; docs/live.md shows how to write one."""

from typing import Any

from apps.users.models import User
from channels_live import Live


class People(Live):
    """How many people have an account. Has no key: the page says just its name."""

    template_name = "web/people.html"
    follows = {User: None}

    def allows(self, user: Any, key: str) -> bool:
        return True

    def get_context(self, key: str) -> dict[str, Any]:
        return {"count": User.objects.count()}
