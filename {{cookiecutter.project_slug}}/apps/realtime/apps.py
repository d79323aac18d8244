from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "apps.realtime"

    def ready(self) -> None:
        from apps.realtime import (
            checks,  # noqa: F401
            daphne,
            daphne_http,
            servers,
            sessions,
        )

        daphne.install()
        daphne_http.install()
        servers.install()
        sessions.connect_signals()
        # % if cookiecutter.asgi_server == "uvicorn"
        from apps.realtime import uvicorn

        uvicorn.install()
        # % endif
