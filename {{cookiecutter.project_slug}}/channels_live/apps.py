from channels.consumer import AsyncConsumer, SyncConsumer
from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from channels_live.base.messages import TYPE


class ChannelsLiveConfig(AppConfig):
    name = "channels_live"

    def ready(self) -> None:
        from channels_live import commands, conf, http_consumers, servers  # noqa: F401
        from channels_live.live import rendering
        from channels_live.live.region import regions

        ignore_messages()
        servers.install()
        http_consumers.install()
        commands.connect_signals()
        rendering.refuse_in_cache()
        autodiscover_modules("live")
        for region in regions.values():
            region.connect()


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
