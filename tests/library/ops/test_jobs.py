import threading
from collections.abc import Callable
from typing import Any

import pytest

from apps.ops import jobs
from apps.ops.mail import send
from channels_live.testing import WAIT

pytestmark = pytest.mark.django_db(transaction=True)


def worker_of(looks: dict[str, Callable[[], Any]]) -> type:
    """Return a worker that looks for jobs of a queue, and finds none."""

    class Worker:
        def __init__(self, queues: list[str]) -> None:
            self.queue = queues[0]

        def reap(self) -> None:
            pass

        def run_once(self) -> bool:
            looks[self.queue]()
            return False

    return Worker


def test_a_job_that_comes_while_a_thread_is_busy_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, ended = threading.Event(), threading.Event()
    busy, idle = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        busy.release()
        begun.set()
        ended.wait(WAIT)

    looks = {"busy": work, "idle": idle.release}
    monkeypatch.setattr(jobs, "JobWorker", worker_of(looks))
    for queue in looks:
        threading.Thread(target=jobs.work, args=[queue], daemon=True).start()
    assert begun.wait(WAIT)
    assert busy.acquire(timeout=WAIT)
    assert idle.acquire(timeout=WAIT)

    send.enqueue()
    assert idle.acquire(timeout=WAIT)
    ended.set()

    assert busy.acquire(timeout=jobs.LOOK / 2)
