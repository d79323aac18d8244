"""What a number of open sockets asks for: arithmetic with the model's constants."""

import math
from dataclasses import dataclass, replace

from benchmarks.model import Process, Shard

# Shares of a core that are planned with: the rest is for peaks and reconnections.
PROCESS_FULL = 0.6
SHARD_FULL = 0.6
# One may be killed.
FEWEST = 2
# So that a deployment, in which all come back at once, is over soon.
MOST_SOCKETS = 10_000


@dataclass(frozen=True)
class Plan:
    sockets: int
    members: int  # of a room
    per_minute: float  # messages in each room
    processes: int = 1
    shards: int = 1
    by_room: bool = False  # the proxy leads all sockets of a room to one process

    @property
    def rooms(self) -> float:
        return self.sockets / self.members

    @property
    def messages(self) -> float:
        """In all rooms, a second."""
        return self.rooms * self.per_minute / 60

    @property
    def subscribed(self) -> float:
        """Processes that have members of a room."""
        if self.by_room:
            return 1
        return self.processes * (1 - (1 - 1 / self.processes) ** self.members)

    @property
    def groups(self) -> float:
        """Rooms that have members in a process."""
        return self.rooms * self.subscribed / self.processes

    @property
    def heard(self) -> float:
        """Messages that a process hears a second."""
        return self.messages * self.subscribed / self.processes

    @property
    def local(self) -> float:
        """Members of a room in a process that has any."""
        return self.members / self.subscribed


def quiet(plan: Plan, costs: Process) -> float:
    """CPU of a process in which nobody says anything, in microseconds a second."""
    sockets = plan.sockets / plan.processes
    return costs.base + sockets * costs.socket + plan.groups * costs.group


def process_busy(plan: Plan, costs: Process) -> float:
    """The share of a core that a process needs, where nothing shares a frame."""
    own = plan.messages / plan.processes
    return 1e-6 * (
        quiet(plan, costs)
        + own * costs.message
        + (plan.heard - own) * costs.hear
        + plan.heard * plan.local * costs.alone
    )


def shard_busy(plan: Plan, costs: Shard) -> float:
    """The share of a core that a shard needs."""
    each = costs.publish + plan.subscribed * costs.subscriber
    return 1e-6 * plan.messages / plan.shards * each


def size(plan: Plan, process: Process, shard: Shard) -> Plan:
    """The plan with as many processes and shards as it needs."""
    count = max(FEWEST, math.ceil(plan.sockets / MOST_SOCKETS))
    while process_busy(replace(plan, processes=count), process) > PROCESS_FULL:
        count = math.ceil(count * 1.05)
        if count > plan.sockets:
            raise ValueError(f"No number of processes suffices for {plan}.")
    sized = replace(plan, processes=count)
    return replace(sized, shards=math.ceil(shard_busy(sized, shard) / SHARD_FULL))
