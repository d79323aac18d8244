"""Answers what asks a process itself: /health/live, /health/ready and /metrics.

Probes come from inside, often without a Host that this site answers to and without
https. So they are answered before Django looks at them, and leave no trace in the log.
"""

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from apps.ops.asgi import Application, Receive, Scope, Send, get_headers
from apps.ops.health import Readiness
from apps.ops.metrics import Metrics


class ProbeMiddleware:
    def __init__(self, inner: Application) -> None:
        self.inner = inner
        self.readiness = Readiness()
        self.metrics = Metrics() if settings.METRICS_TOKEN else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match find_path(scope):
            case "/health/live":
                await answer(send, report({}))
            case "/health/ready":
                await answer(send, report(await self.readiness.check()))
            case "/metrics" if self.metrics:
                authorization = "".join(get_headers(scope, b"authorization"))
                await answer(send, await self.metrics.answer(authorization))
            case _:
                await self.inner(scope, receive, send)


def find_path(scope: Scope) -> str:
    """Return the path of what may be a probe, without the server's mount point."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return ""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "").rstrip("/"))


def report(passed: dict[str, bool]) -> HttpResponse:
    """Return what passes. Why something does not is for the log alone."""
    words = {True: "pass", False: "fail"}
    is_well = all(passed.values())
    checks = {name: words[passes] for name, passes in passed.items()}
    body = {"status": words[is_well], **({"checks": checks} if checks else {})}
    return JsonResponse(body, status=200 if is_well else 503)


async def answer(send: Send, response: HttpResponse) -> None:
    """Send a response, which no proxy may keep."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["X-Content-Type-Options"] = "nosniff"
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [(k.lower().encode(), v.encode()) for k, v in response.items()],
        }
    )
    await send({"type": "http.response.body", "body": response.content})
