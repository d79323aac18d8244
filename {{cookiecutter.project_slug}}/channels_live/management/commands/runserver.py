"""daphne's runserver, which serves WebSockets too."""

from daphne.management.commands.runserver import Command

from channels_live import servers

__all__ = ["Command"]

servers.install()  # daphne was not loaded yet when Django was set up
