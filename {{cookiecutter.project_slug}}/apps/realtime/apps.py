from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "apps.realtime"

    def ready(self) -> None:
        from apps.realtime import checks, daphne, sessions  # noqa: F401

        daphne.install()
        sessions.connect_signals()
