"""What daphne and uvicorn leave undone: limits, and an end that loses nobody."""

from channels_live.servers import daphne


def install() -> None:
    """Have the server of this process do it, whichever it is."""
    daphne.install()
    # % if cookiecutter.asgi_server == "uvicorn"
    import sys

    if "uvicorn" in sys.modules:
        from channels_live.servers import uvicorn

        uvicorn.install()
    # % endif
