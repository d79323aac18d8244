"""What a handshake is refused with."""


class Refusal(Exception):
    """Raised where a socket is not let in. The reason is for the log alone."""
