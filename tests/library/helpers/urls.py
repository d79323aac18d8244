"""Pages of the tests' own, of which there are none: channels_urls.py lies beside."""

from typing import Any

urlpatterns: list[Any] = []
