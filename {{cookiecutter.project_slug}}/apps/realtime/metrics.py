"""The engine's numbers for Prometheus."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from apps.realtime.counts import BUCKETS, counts
from apps.realtime.hub import get_hubs
from apps.realtime.outage import database_outage, layer_outage

OUTAGES = {"database": database_outage, "channel_layer": layer_outage}


class RealtimeCollector(Collector):
    """Reads what is counted when it is asked for. All numbers are of this process."""

    def collect(self) -> Iterator[Metric]:
        yield from self.sockets()
        yield from self.fan_out()
        yield from self.catching_up()
        away = GaugeMetricFamily(
            "websocket_outage",
            "1 while a service does not answer, as far as was noticed.",
            labels=["service"],
        )
        for service, outage in OUTAGES.items():
            away.add_metric([service], bool(outage.parts))
        yield away

    def sockets(self) -> Iterator[Metric]:
        hubs = get_hubs()
        yield GaugeMetricFamily(
            "websocket_open_sockets", "Sockets that are open.", counts.open
        )
        yield GaugeMetricFamily(
            "websocket_groups",
            "Groups that have sockets here.",
            sum(len(hub.groups) for hub in hubs),
        )
        yield GaugeMetricFamily(
            "websocket_present",
            "People whom rosters show because of sockets here, once for each roster.",
            sum(hub.presence.size for hub in hubs),
        )
        yield CounterMetricFamily(
            "websocket_opened", "Sockets that were accepted.", counts.opened
        )
        closed = CounterMetricFamily(
            "websocket_closed",
            "Sockets that ended: left (the browser went), refused (on entering), "
            "closed (by their consumer) or let_go (revoked, too slow, too many).",
            labels=["how", "code"],
        )
        for labels, count in sorted(counts.closed.items()):
            closed.add_metric(labels, count)
        yield closed
        yield CounterMetricFamily(
            "websocket_refused_handshakes",
            "Sockets that were not accepted: another origin, an unknown path, too many "
            "of somebody's, the database away, or a process that ends.",
            counts.refused_handshakes,
        )
        yield CounterMetricFamily(
            "websocket_joins", "Groups that sockets joined.", counts.joins
        )
        yield CounterMetricFamily(
            "websocket_received",
            "Frames that browsers sent, pings among them.",
            counts.received,
        )

    def fan_out(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "websocket_published",
            "Fragments that this process handed to the channel layer.",
            counts.published,
        )
        yield CounterMetricFamily(
            "websocket_fragments",
            "Fragments that came for groups with sockets here.",
            counts.fragments,
        )
        yield CounterMetricFamily(
            "websocket_deliveries",
            "Fragments that were written, once for each socket of their group.",
            counts.deliveries,
        )
        yield CounterMetricFamily(
            "websocket_frames",
            "Frames that these deliveries went out in.",
            counts.frames,
        )
        bounds = [*map(str, map(float, BUCKETS)), "+Inf"]
        yield HistogramMetricFamily(
            "websocket_delivery_seconds",
            "From publishing a fragment to writing it to the group's sockets here.",
            buckets=list(zip(bounds, accumulate(counts.delays), strict=True)),
            sum_value=counts.delay,
        )

    def catching_up(self) -> Iterator[Metric]:
        started = CounterMetricFamily(
            "websocket_catch_ups",
            "Sockets that were sent what they had missed, by where it came from.",
            labels=["source"],
        )
        sent = CounterMetricFamily(
            "websocket_catch_up_fragments",
            "Fragments that they were sent.",
            labels=["source"],
        )
        for source in ("memory", "database"):
            started.add_metric([source], counts.catch_ups[source])
            sent.add_metric([source], counts.catch_up_fragments[source])
        yield started
        yield sent
        yield CounterMetricFamily(
            "websocket_skips",
            "Catch-ups that left something out, because too much was missed.",
            counts.skips,
        )
        yield CounterMetricFamily(
            "websocket_repaired_fragments",
            "Fragments that came from the database instead of the channel layer.",
            counts.repaired,
        )
