"""How daphne ends; that all are answered takes a server."""

from daphne.server import Server

from channels_live.servers import daphne


def test_daphne_ends_in_this_way() -> None:
    assert Server.kill_all_applications is daphne.end
