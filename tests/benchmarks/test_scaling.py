"""Plans for many sockets: the model, the simulation, and the page that shows them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from baking import TREE

from benchmarks import publish
from benchmarks.model import Process, Shard, load_redis, process, shard
from benchmarks.plan import Plan, process_busy, shard_busy, size
from benchmarks.results import Results
from benchmarks.scaling import plans
from benchmarks.simulation import Simulation

SIDES = ("demo-daphne", "demo-uvicorn")
# What a server would be measured to do that costs as much as `COSTS`.
COSTS = Process(
    base=5000,
    socket=10,
    group=100,
    alone=20,
    joined=2,
    message=4000,
    message_full=1000,
    hear=50,
    wait=5000,
    connect=2000,
    kilobytes=30,
    stored=500,
)
REDIS = {
    "publish_microseconds": 10,
    "subscriber_microseconds": 4,
    "bytes_per_group": 230,
    "hear_microseconds": COSTS.hear,
}
SHARD = Shard(10, 4, 230)
SCALING = TREE / "docs" / "scaling.md"


def measured() -> Results:
    """Three rounds, of which the first is far off and does not count."""

    def calm(sockets: int, groups: int, messages: float, deliveries: float) -> float:
        return 1e-6 * (
            COSTS.base
            + sockets * COSTS.socket
            + groups * COSTS.group
            + messages * COSTS.message
            + deliveries * COSTS.alone
        )

    def full(members: int) -> float:
        return COSTS.joined + COSTS.message_full / members

    parts = {
        "10": {
            "steady_busy": calm(10, 1, 20, 200),
            "server_microseconds_per_delivery": full(10),
            "steady_median_ms": (COSTS.message + 100 + COSTS.wait) / 1000,
            "deliveries_per_second": 10 * COSTS.stored,
        },
        "100": {"steady_busy": calm(100, 1, 20, 2000)},
        "1000": {
            "steady_busy": calm(1000, 1, 1, 1000),
            "server_microseconds_per_delivery": full(1000),
        },
        "1000/100": {
            "steady_busy": calm(1000, 100, 20, 200),
        },
        "arrivals": {
            "server_milliseconds_per_connection": COSTS.connect / 1000,
        },
        "quiet": {
            "few_busy": calm(20, 20, 0, 0),
            "many_busy": calm(5000, 100, 0, 0),
            "most_busy": calm(10_000, 100, 0, 0),
            "many_sockets": 5000,
            "most_sockets": 10_000,
            "few_kilobytes": 100_000,
            "many_kilobytes": 100_000 + 4980 * COSTS.kilobytes,
            "most_kilobytes": 100_000 + 9980 * COSTS.kilobytes,
            "sockets": 5000,
            "together_busy": calm(5000, 1, 0, 0),
            "groups_busy": calm(5000, 5000, 0, 0),
        },
    }
    results = Results("2026-01-01", "a machine", {})
    for side in SIDES:
        for part, numbers in parts.items():
            wild = {name: 9 * value for name, value in numbers.items()}
            for one in (wild, numbers, numbers):
                results.add(side, part, one)
    return results


def test_the_model_finds_the_costs_that_measurements_come_from() -> None:
    found = process(measured(), "demo-daphne", REDIS)

    for name, cost in vars(COSTS).items():
        assert getattr(found, name) == pytest.approx(cost), name
    assert shard(REDIS) == SHARD


def test_what_was_not_measured_is_named() -> None:
    results = measured()
    del results.rounds["demo-daphne"]["quiet"]

    with pytest.raises(LookupError, match="demo-daphne, quiet: few_busy"):
        process(results, "demo-daphne", REDIS)


@pytest.mark.parametrize("by_room", [False, True])
def test_the_simulation_agrees_with_arithmetic(by_room: bool) -> None:
    plan = Plan(40_000, 20, 6, processes=8, shards=2, by_room=by_room)

    found = Simulation(plan, COSTS, SHARD).run(240)

    assert 0.1 < process_busy(plan, COSTS) < 0.9
    # Some messages share a transaction.
    assert found.process_busy == pytest.approx(process_busy(plan, COSTS), rel=0.1)
    assert found.shard_busy == pytest.approx(shard_busy(plan, SHARD), rel=0.05)
    heard = plan.messages * plan.subscribed / plan.processes
    assert found.messages == pytest.approx(heard, rel=0.05)
    alone = (COSTS.message + COSTS.wait + plan.local * COSTS.alone / 2) / 1000
    assert 0.5 * alone < found.median_ms < 2 * alone
    assert found.p99_ms > found.median_ms


def test_by_hand() -> None:
    """Ten rooms of 20 in two processes, each room a message a second."""
    plan = Plan(200, 20, 60, processes=2, shards=5, by_room=True)

    # Each process: 5 messages come in, 100 deliveries, 100 sockets, 5 groups.
    used = 5000 + 5 * 4000 + 100 * 20 + 100 * 10 + 5 * 100
    assert process_busy(plan, COSTS) == pytest.approx(used / 1e6)
    # Each shard: 2 messages, heard by one process.
    assert shard_busy(plan, SHARD) == pytest.approx(2 * (10 + 4) / 1e6)
    # By chance, nearly every room is in both, and heard by the other one too.
    both = replace(plan, by_room=False)
    assert both.subscribed == pytest.approx(2, rel=1e-5)
    used = 5000 + 5 * 4000 + 5 * 50 + 100 * 20 + 100 * 10 + 10 * 100
    assert process_busy(both, COSTS) == pytest.approx(used / 1e6, rel=1e-4)


def test_under_load_fragments_share_frames() -> None:
    """In one crowded room, deliveries alone would need more than the core has."""
    plan = Plan(1000, 1000, 60 * 60)

    found = Simulation(plan, COSTS, SHARD).run(20)

    assert process_busy(plan, COSTS) > 1.2
    assert found.process_busy < 1
    assert found.messages == pytest.approx(60, rel=0.1)


def test_a_plan_is_as_large_as_it_needs_to_be() -> None:
    plan = size(Plan(1_000_000, 50, 60, by_room=True), COSTS, SHARD)

    assert 0.5 < process_busy(plan, COSTS) <= 0.6
    assert shard_busy(plan, SHARD) <= 0.6
    with pytest.raises(ValueError, match="No number of processes"):
        size(Plan(1000, 10, 1_000_000, by_room=True), COSTS, SHARD)


def test_a_process_looks_up_few_groups_unless_redis_is_away() -> None:
    lines = plans({"daphne": COSTS, "uvicorn": COSTS}, SHARD).splitlines()
    rows = {
        name: values for name, *values in (line[2:-2].split(" | ") for line in lines)
    }

    processes, groups, looked_up, away = (
        [float(value.split(" ")[0].replace(",", "")) for value in rows[name]]
        for name in (
            "processes (daphne)",
            "groups of a process",
            "PostgreSQL: groups looked up a second",
            "… while Redis is away",
        )
    )
    # Every two seconds, 200 of them at most.
    for number, all_groups, few, many in zip(
        processes, groups, looked_up, away, strict=True
    ):
        assert few == pytest.approx(number * min(all_groups, 200) / 2, rel=0.02)
        assert many == pytest.approx(number * all_groups / 2, rel=0.02)
    assert max(groups) > 200


def test_the_page_gets_its_tables_and_keeps_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "scaling.md"
    shutil.copy(SCALING, page)
    monkeypatch.setattr(publish, "SCALING", page)
    results = measured()
    results.save(tmp_path / "results.json")
    (tmp_path / "redis.json").write_text(json.dumps(REDIS))
    command = ["publish", "--only", "scaling", "--folder", str(tmp_path)]
    monkeypatch.setattr("sys.argv", command)

    publish.main()

    old, new = SCALING.read_text(), page.read_text()
    assert words(new) == words(old)
    assert load_redis(tmp_path / "redis.json") == REDIS
    assert "2026-01-01, a machine" in new
    assert re.search(r"\| a delivery in its own frame: CPU, µs \| 20", new)
    for name in ("constants", "plans", "check", "quiet"):
        assert re.search(f"<!-- {name} -->\n\n\\|.*?\\|\n", new), name


def words(page: str) -> list[str]:
    """What is not between markers."""
    return re.split(r"(<!-- (\w+) -->).*?(<!-- /\2 -->)", page, flags=re.S)
