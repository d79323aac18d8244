"""Background jobs in a server process, where no worker runs them: see docs/jobs.md."""

import logging
import threading

from django.conf import settings
from django.db import connections, transaction
from django.tasks.signals import task_enqueued
from django_ox.worker import Worker

logger = logging.getLogger(__name__)

# Seconds until the jobs of others are looked for; those of this process begin at once.
LOOK = 5


def start_jobs() -> None:
    """Run jobs in threads that end with the process, if JOBS_IN_WEB says so.

    The default queue has two, so that a long job does not hold up all others.
    """
    if settings.JOBS_IN_WEB:
        for queue in [*settings.TASKS["default"]["QUEUES"], "default"]:
            threading.Thread(target=work, args=[queue], daemon=True).start()


def work(queue: str) -> None:
    stored = threading.Event()

    def notice(**kwargs: object) -> None:
        transaction.on_commit(stored.set)

    task_enqueued.connect(notice, weak=False)
    worker = Worker(queues=[queue])
    while True:
        stored.clear()
        try:
            worker.reap()
            while worker.run_once():
                pass
        # The database is away, or a job would end the process.
        except BaseException as error:
            logger.warning("Jobs of %s wait for %d s: %r", queue, LOOK, error)
        connections.close_all()
        stored.wait(LOOK)
