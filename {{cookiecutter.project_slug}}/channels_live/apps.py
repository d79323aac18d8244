from channels.consumer import AsyncConsumer, SyncConsumer
from django.apps import AppConfig

from channels_live.base.messages import TYPE


class ChannelsLiveConfig(AppConfig):
    name = "channels_live"

    def ready(self) -> None:
        from channels_live import commands, conf, servers  # noqa: F401

        ignore_messages()
        servers.install()
        commands.connect_signals()


def ignore_messages() -> None:
    """Have Channels' own consumers ignore what is published to a group of theirs.

    They end where a message has no handler.
    """

    async def ignore_async(self: AsyncConsumer, message: object) -> None:
        pass

    def ignore(self: SyncConsumer, message: object) -> None:
        pass

    setattr(AsyncConsumer, TYPE, ignore_async)
    setattr(SyncConsumer, TYPE, ignore)
