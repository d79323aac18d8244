"""daphne's runserver, which serves WebSockets too."""

from daphne.management.commands import runserver
from django.db import OperationalError

from channels_live import servers

servers.install()  # daphne was not loaded yet when Django was set up


class Command(runserver.Command):
    def check_migrations(self) -> None:
        try:
            super().check_migrations()
        except OperationalError as error:
            self.stderr.write(str(error))
