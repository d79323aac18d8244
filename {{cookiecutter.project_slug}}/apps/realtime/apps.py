from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "apps.realtime"

    def ready(self) -> None:
        from apps.realtime import checks, servers, sessions  # noqa: F401

        servers.install()
        sessions.connect_signals()
