from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ChannelsLiveConfig(AppConfig):
    name = "channels_live"
    default_auto_field = "django.db.models.BigAutoField"  # as in its migrations

    def ready(self) -> None:
        from channels_live import commands, conf, servers  # noqa: F401
        from channels_live.base import primary
        from channels_live.delivery import plain, sending
        from channels_live.live import checks, rendering  # noqa: F401
        from channels_live.live.region import regions

        primary.route_reads()
        plain.ignore_messages()
        plain.complain_of_group_send()
        plain.hand_out_jobs_once()
        sending.publish_together()
        servers.install()
        rendering.refuse_in_cache()
        commands.follow_users()
        autodiscover_modules("live")
        for region in regions.values():
            region.connect()
