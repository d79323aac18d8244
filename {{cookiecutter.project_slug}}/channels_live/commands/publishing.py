"""Push rendered fragments into every page that listens to a group."""

from channels_live.commands.background import start
from channels_live.delivery.bus import as_fragments, send_fragments
from channels_live.delivery.history import Fragment


async def apublish(group: str, *fragments: str | Fragment) -> None:
    """Send HTML to all sockets of a group, in every process.

    Call it after the commit of what it tells. A Fragment has its place in the group's
    history, if the group has one: then it arrives even where the channel layer fails.

    Raises ValueError for a name that no group can have, TypeError for what is no str.
    A channel layer that is away is logged, once, and raises nothing.
    """
    await send_fragments(group, as_fragments(group, fragments))


def publish(group: str, *fragments: str | Fragment) -> None:
    """Do what apublish() does, from any code.

    Waits for nothing but where no event loop is to do it, as in a command.
    """
    start(send_fragments(group, as_fragments(group, fragments)))
