import sys

from channels.layers import InMemoryChannelLayer, channel_layers
from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules, import_string


class ChannelsLiveConfig(AppConfig):
    name = "channels_live"
    default_auto_field = "django.db.models.BigAutoField"  # as in its migrations

    def ready(self) -> None:
        from channels_live import commands, conf, servers  # noqa: F401
        from channels_live.base import primary
        from channels_live.delivery import plain
        from channels_live.handshake import routes  # noqa: F401
        from channels_live.live import checks, rendering  # noqa: F401
        from channels_live.live.region import regions

        primary.route_reads()
        plain.ignore_messages()
        plain.complain_of_group_send(InMemoryChannelLayer)
        for layer in channel_layers.configs.values():
            import_string(layer["BACKEND"])
        if "channels_redis" in sys.modules:
            from channels_live.delivery import redis_layers

            redis_layers.install()
        servers.install()
        rendering.refuse_in_cache()
        commands.follow_users()
        autodiscover_modules("live")
        for region in regions.values():
            region.connect()
