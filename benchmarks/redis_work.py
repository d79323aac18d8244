"""What Redis pays for a message: python -m benchmarks.redis_work

A publish to one channel costs it a little, and a little more for each process that has
subscribed. Written to `.bench/redis.json`, beside the results of `make bench`.
"""

import argparse
import json
import re
import select
import socket
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.machine import cpu_seconds
from benchmarks.services import redis
from benchmarks.sides.base import CHECKOUT

SUBSCRIBERS = (1, 4, 16, 64)
DELIVERIES = 60_000  # so many that the kernel's clock, in ticks, tells them apart
ROUNDS = 5
PAYLOAD = b"x" * 500  # a short message as HTML, and its envelope
IDLE_GROUPS = 20_000
HEARD = 4000
# What a process does with each message before its sockets get it: the channel layer's
# part, of which there is one for each process, whoever published.
HEAR = """
import asyncio, sys, time
from channels_redis.pubsub import RedisPubSubChannelLayer

async def main(url, count):
    layer = RedisPubSubChannelLayer(hosts=[url])
    channel = await layer.new_channel()
    await layer.group_add("heard", channel)
    pairs = [("x" * 420, 1)]
    sample = {"type": "fragments", "group": "heard", "pairs": pairs}
    print(layer.serialize(sample).hex(), flush=True)
    await layer.receive(channel)
    before = time.process_time()
    for _ in range(count):
        await layer.receive(channel)
    print((time.process_time() - before) / count * 1e6)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class Connection:
    """To Redis, and no more than is needed: what is read is only counted."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, *words: bytes) -> bytes:
        self.socket.sendall(command(*words))
        return self.socket.recv(65536)

    def number(self, section: bytes, name: bytes) -> int:
        """One of the numbers that INFO tells."""
        (found,) = re.findall(name + rb":(\d+)", self.ask(b"INFO", section))
        return int(found)


def command(*words: bytes) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def publish_microseconds(port: int, subscribers: int) -> float:
    """CPU that Redis takes for one publish, with so many subscribers."""
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        sockets = {}
        for _ in range(subscribers):
            connection = Connection(port)
            stack.callback(connection.socket.close)
            connection.ask(b"SUBSCRIBE", b"group")
            sockets[connection.socket.fileno()] = connection.socket
            poll.register(connection.socket.fileno(), select.EPOLLIN)
        publisher = Connection(port)
        stack.callback(publisher.socket.close)
        publishes = DELIVERIES // (subscribers + 3)
        pid = publisher.number(b"server", b"process_id")
        before = cpu_seconds(pid)
        for _ in range(publishes):
            publisher.ask(b"PUBLISH", b"group", PAYLOAD)
            for descriptor, _ in poll.poll(0):
                sockets[descriptor].recv(65536)
        return (cpu_seconds(pid) - before) / publishes * 1e6


def bytes_per_group(port: int) -> float:
    """Memory that Redis keeps for a group that a process has subscribed to."""
    connection = Connection(port)
    before = connection.number(b"memory", b"used_memory")
    for number in range(IDLE_GROUPS):
        connection.ask(b"SUBSCRIBE", b"project__group__room.%d" % number)
    after = Connection(port).number(b"memory", b"used_memory")
    return (after - before) / IDLE_GROUPS


def hear_microseconds(url: str, python: Path) -> float:
    """CPU that a process takes to hear a message from the channel layer."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    listening = [str(python), "-c", HEAR, url, str(HEARD)]
    with subprocess.Popen(listening, stdout=subprocess.PIPE, text=True) as listener:
        said = iter(listener.stdout or ())
        message = bytes.fromhex(next(said))
        publisher = Connection(port)
        for _ in range(HEARD + 1):
            publisher.ask(b"PUBLISH", b"asgi__group__heard", message)
        return float(next(said))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redis_work")
    folder = CHECKOUT / ".bench"
    project = folder / "demo" / "measured"
    parser.add_argument("--folder", type=Path, default=folder)
    parser.add_argument("--venv", type=Path, default=project / ".venv")
    options = parser.parse_args()
    with redis() as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        rounds = [
            [publish_microseconds(port, count) for count in SUBSCRIBERS]
            for _ in range(ROUNDS)
        ]
        numbers = {
            "bytes_per_group": bytes_per_group(port),
            "hear_microseconds": hear_microseconds(url, options.venv / "bin/python"),
        }
    medians = map(statistics.median, zip(*rounds, strict=True))
    costs = dict(zip(SUBSCRIBERS, medians, strict=True))
    # From the ends: a line through all would have the first one's few drowned.
    few, many = SUBSCRIBERS[0], SUBSCRIBERS[-1]
    each = (costs[many] - costs[few]) / (many - few)
    numbers["subscriber_microseconds"] = each
    numbers["publish_microseconds"] = costs[few] - few * each
    measured = {"microseconds_by_subscribers": costs, **numbers}
    (options.folder / "redis.json").write_text(json.dumps(measured, indent=1) + "\n")
    json.dump(measured, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
