"""What daphne and uvicorn leave undone: limits, and an end that loses nobody."""

from apps.realtime.servers import (
    daphne_ending,
    daphne_http,
    daphne_log,
    daphne_websocket,
    uvicorn_ending,
)


def install() -> None:
    """Have the server of this process do it, whichever it is."""
    daphne_ending.install()
    daphne_http.install()
    daphne_log.install()
    daphne_websocket.install()
    uvicorn_ending.install()
    # % if cookiecutter.asgi_server == "uvicorn"
    from apps.realtime.servers import uvicorn

    uvicorn.install()
    # % endif
