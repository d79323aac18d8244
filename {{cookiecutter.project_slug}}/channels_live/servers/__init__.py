"""What daphne and uvicorn leave undone: limits, and an end that loses nobody."""

import sys


def install() -> None:
    """Have the server of this process do it, whichever it is.

    Commands and tests load no server: daphne takes as long as a third of their start.
    """
    if "daphne.server" in sys.modules:
        from channels_live.servers import daphne

        daphne.install()
    # % if cookiecutter.asgi_server == "uvicorn"
    if "uvicorn" in sys.modules:
        from channels_live.servers import uvicorn

        uvicorn.install()
    # % endif
