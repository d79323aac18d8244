"""What asks a process itself, before Django looks at it: see health.py and metrics.py."""

from collections.abc import Mapping
from typing import Any

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def find_path(scope: Any) -> str:
    """Return the path of what may be a probe, without the server's mount point."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return ""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/"))


async def answer(
    send: Any, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    fields = {**headers, **HEADERS, "content-length": str(len(body))}
    encoded = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
