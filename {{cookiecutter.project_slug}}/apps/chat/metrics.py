"""The chat's numbers for Prometheus; each stands where it is counted."""

from prometheus_client import Histogram

batches = Histogram(
    "chat_batch_messages",
    "Messages that were stored in one transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100),
)
post_seconds = Histogram(
    "chat_post_seconds",
    "From reading a message until it is stored and published, or refused.",
)
