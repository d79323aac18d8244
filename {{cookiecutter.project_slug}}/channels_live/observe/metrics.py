"""What the library counts for Prometheus. All numbers are of this process."""

from collections.abc import Iterable
from time import time

from prometheus_client import Counter, Gauge, Histogram

# What a browser may give as its reason to leave; of others there are thousands.
STANDARD_CODES = range(1000, 1016)

# Sockets
open_sockets = Gauge("websocket_open_sockets", "Sockets that are open.")
opened = Counter("websocket_opened", "Sockets that were accepted.")
refused_handshakes = Counter("websocket_refused_handshakes", "Sockets not accepted.")
closed = Counter(
    "websocket_closed",
    "Sockets that ended: left (by the browser), refused (on entering), closed (by the "
    "consumer) or terminated (from outside of it).",
    ["how", "code"],
)
aborted = Counter("websocket_aborted", "Connections cut, for nothing was read.")
received = Counter("websocket_received", "Frames received, pings among them.")

# Groups
groups = Gauge("websocket_groups", "Groups that have sockets here.")
present = Gauge("websocket_present", "People in rosters because of sockets here.")

# Fan-out
published = Counter("websocket_published", "Fragments handed to the channel layer.")
fragments = Counter("websocket_fragments", "Fragments for groups with sockets here.")
deliveries = Counter("websocket_deliveries", "Fragments written, once for each socket.")
frames = Counter("websocket_frames", "Frames that deliveries went out in.")
delivery_seconds = Histogram(
    "websocket_delivery_seconds",
    "From publishing a fragment to writing it to the group's sockets here.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Catch-up
catch_ups = Counter("websocket_catch_ups", "Catch-ups, by source.", ["source"])
skips = Counter("websocket_skips", "Catch-ups that left something out.")
repaired = Counter(
    "websocket_repaired_fragments", "Fragments that the channel layer lost."
)
for source in ("memory", "database"):
    catch_ups.labels(source)

outage = Gauge("websocket_outage", "1 while a service does not answer.", ["service"])


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
