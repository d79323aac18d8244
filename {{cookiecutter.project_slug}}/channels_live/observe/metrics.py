"""What the library counts for Prometheus. All numbers are of this process.

Where a frame goes to a thousand sockets, it is counted once.
"""

from collections.abc import Iterable
from time import time

from prometheus_client import Counter, Gauge, Histogram

# What a browser may give as its reason to leave; of others there are thousands.
STANDARD_CODES = range(1000, 1016)

open_sockets = Gauge("websocket_open_sockets", "Sockets that are open.")
opened = Counter("websocket_opened", "Sockets that were accepted.")
closed = Counter(
    "websocket_closed",
    "Sockets that ended: left (the browser went), refused (on entering), closed (by "
    "their consumer) or terminated (revoked, too slow, too many, or sent too much).",
    ["how", "code"],
)
refused_handshakes = Counter(
    "websocket_refused_handshakes",
    "Sockets that were not accepted: another origin, an unknown path, too many of "
    "somebody's, the database away, or a process that ends.",
)
received = Counter("websocket_received", "Frames that browsers sent, pings among them.")

groups = Gauge("websocket_groups", "Groups that have sockets here.")
joins = Counter("websocket_joins", "Groups that sockets joined.")
present = Gauge(
    "websocket_present",
    "People whom rosters show because of sockets here, once for each roster.",
)

published = Counter(
    "websocket_published", "Fragments that this process handed to the channel layer."
)
fragments = Counter(
    "websocket_fragments", "Fragments that came for groups with sockets here."
)
deliveries = Counter(
    "websocket_deliveries",
    "Fragments that were written, once for each socket of their group.",
)
frames = Counter("websocket_frames", "Frames that these deliveries went out in.")
delivery_seconds = Histogram(
    "websocket_delivery_seconds",
    "From publishing a fragment to writing it to the group's sockets here.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

catch_ups = Counter(
    "websocket_catch_ups",
    "Sockets that were sent what they had missed, by where it came from.",
    ["source"],
)
catch_up_fragments = Counter(
    "websocket_catch_up_fragments", "Fragments that they were sent.", ["source"]
)
skips = Counter(
    "websocket_skips",
    "Catch-ups that left something out, because too much was missed.",
)
repaired = Counter(
    "websocket_repaired_fragments",
    "Fragments that came from the database instead of the channel layer.",
)

outage = Gauge(
    "websocket_outage",
    "1 while a service does not answer, as far as was noticed.",
    ["service"],
)

for source in ("memory", "database"):
    catch_ups.labels(source)
    catch_up_fragments.labels(source)


def count_closed(how: str, code: int) -> None:
    """Count a socket that was open."""
    is_bounded = how != "left" or code in STANDARD_CODES
    closed.labels(how, str(int(code)) if is_bounded else "other").inc()
    open_sockets.dec()


def count_broadcast(
    fragment_count: int, frame_count: int, sockets: int, moments: Iterable[float]
) -> None:
    """Count what is written to the sockets of a group, published at these moments."""
    fragments.inc(fragment_count)
    frames.inc(frame_count * sockets)
    deliveries.inc(fragment_count * sockets)
    now = time()
    for moment in moments:
        # The clocks of two machines may differ.
        delivery_seconds.observe(max(0.0, now - moment))
