"""Forms as a browser would send them back."""

from html.parser import HTMLParser


class Fields(HTMLParser):
    """The names and values of a page's fields that a browser would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        field = dict(attrs)
        name = field.get("name")
        if tag != "input" or not name:
            return
        is_box = field.get("type") == "checkbox"
        if field.get("type") != "submit" and (not is_box or "checked" in field):
            self.values[name] = field.get("value") or ("on" if is_box else "")
