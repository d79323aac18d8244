from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "apps.realtime"

    def ready(self) -> None:
        from apps.realtime import checks, daphne, servers, sessions  # noqa: F401

        daphne.install()
        servers.install()
        sessions.connect_signals()
