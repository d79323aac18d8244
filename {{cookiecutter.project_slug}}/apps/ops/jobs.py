"""Background jobs: helpers, and threads that run them in servers; see docs/jobs.md."""

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.tasks import Task, TaskResult
from django.tasks.signals import task_enqueued, task_finished
from django.utils import timezone
from django_ox.models import OxTask
from django_ox.results import task_result_from_db
from django_ox.worker import Worker

logger = logging.getLogger(__name__)

# How often to look for jobs of other processes, in seconds; own jobs start at once.
LOOK = 5


class JobWorker(Worker):
    """Sends task_finished for LOST jobs too, whose processes crashed."""

    def reap(self) -> int:
        began = timezone.now()
        reaped = super().reap()
        lost = OxTask.objects.filter(status=OxTask.Status.LOST, finished_at__gte=began)
        for job in lost if reaped else ():
            with suppress(ImportError):  # its function was removed
                task_finished.send_robust(
                    type(self.backend), task_result=task_result_from_db(job)
                )
        return reaped


def when_over(job: "Task[..., Any]", call: Callable[..., object]) -> None:
    """Call a function with a job's arguments once the job has ended or failed for good."""

    def receive(task_result: "TaskResult[..., object]", **kwargs: object) -> None:
        if task_result.task.func == job.func:
            call(*task_result.args, **task_result.kwargs)

    task_finished.connect(receive, weak=False)


def is_over(job: "Task[..., Any]", *args: object) -> bool:
    """Return whether no job with these arguments waits or runs."""
    jobs = OxTask.objects.filter(task_path=job.module_path, args=as_json(*args))
    return not jobs.filter(finished_at=None).exists()


def enqueue_view(
    job: "Task[..., Any]", then: str = "home"
) -> Callable[..., HttpResponseBase]:
    """Return a view that enqueues a job with the primary key of the user who posts."""
    if not isinstance(job, Task):
        raise TypeError(f"{job.__name__} is no task: decorate it with @task.")

    @login_required
    def view(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":  # a login leads here by GET
            job.enqueue(*as_json(request.user.pk))
        return redirect(then)

    return view


def as_json(*args: object) -> Any:
    """Return arguments as a job gets them, with a UUID as text."""
    return json.loads(DjangoJSONEncoder().encode(args))


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
    worker = JobWorker(queues=[queue])
    reason = ""
    while True:
        stored.clear()
        try:
            worker.reap()
            while worker.run_once():
                pass
            reason = ""
        # The database is away, or a job raises what would end the process.
        except BaseException as error:
            if reason != repr(error):  # or it has been said
                reason = repr(error)
                logger.warning("The queue %s waits: %s", queue, reason)
        connections.close_all()
        stored.wait(LOOK)
