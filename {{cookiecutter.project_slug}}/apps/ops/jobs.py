"""Background jobs in a server process, for a site without a worker: see docs/jobs.md."""

import itertools
import logging
import threading
import time

from django.conf import settings
from django.db import connections
from django_ox.worker import Worker

logger = logging.getLogger(__name__)

# How often new jobs, and those of processes that died, are looked for, in seconds.
LOOK, LOOK_FOR_DEAD = 0.5, 10


def start_jobs() -> None:
    """Run the jobs of each queue in a thread, which ends with the process.

    The default queue has two, so that a long job does not hold up all others.
    """
    for queue in [*settings.TASKS["default"]["QUEUES"], "default"]:
        threading.Thread(target=work, args=[queue], daemon=True).start()


def work(queue: str) -> None:
    worker = Worker(queues=[queue])
    for look in itertools.count():
        try:
            if look % (LOOK_FOR_DEAD / LOOK) == 0:
                worker.reap()
            while worker.run_once():
                pass
        # The database's, or a job that ends the process: it would end this thread only.
        except BaseException as error:
            logger.warning("Jobs of %s wait for %d s: %r", queue, LOOK_FOR_DEAD, error)
            time.sleep(LOOK_FOR_DEAD)
        connections.close_all()
        time.sleep(LOOK)
