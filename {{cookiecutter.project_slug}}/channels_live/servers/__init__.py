"""What daphne and uvicorn leave undone: limits, and an end that loses nobody."""

import sys


def install() -> None:
    """Have the server of this process do it, whichever it is."""
    from channels_live.servers import daphne

    daphne.install()
    if "uvicorn" in sys.modules:
        from channels_live.servers import uvicorn

        uvicorn.install()
