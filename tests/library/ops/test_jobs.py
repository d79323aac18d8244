import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.tasks import task
from django.test import RequestFactory
from django.urls import reverse
from django_ox.testing import run_tasks

from apps.ops import jobs
from apps.ops.mail import send
from apps.users.models import User
from channels_live.testing import WAIT

pytestmark = pytest.mark.django_db(transaction=True)

noted: list[object] = []


@task
def note(pk: object) -> None:
    noted.append(pk)


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


def test_why_a_queue_waits_is_said_once_until_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked = threading.Semaphore(0)
    errors = iter([OSError("gone"), OSError("gone"), None, OSError("gone")])

    def look() -> None:
        looked.release()
        if error := next(errors, None):
            raise error

    monkeypatch.setattr(jobs, "LOOK", 0)
    monkeypatch.setattr(jobs, "JobWorker", worker_of({"shaky": look}))
    threading.Thread(target=jobs.work, args=["shaky"], daemon=True).start()

    for _ in range(5):
        assert looked.acquire(timeout=WAIT)
    said = [one.message for one in caplog.records if one.name == jobs.logger.name]
    assert said == ["The queue shaky waits: OSError('gone')"] * 2


def test_a_view_runs_a_job_for_the_user_who_posts(rf: RequestFactory) -> None:
    view = jobs.enqueue_view(note, then="account_signup")
    post = rf.post("/")
    post.user = AnonymousUser()
    assert reverse("account_login") in view(post).headers["Location"]
    ada = post.user = User.objects.create_user("ada")
    get = rf.get("/")  # as after the login that the job needed
    get.user = ada
    assert view(get).headers["Location"] == reverse("account_signup")
    assert jobs.is_over(note, ada.pk)
    assert view(post).headers["Location"] == reverse("account_signup")
    assert not jobs.is_over(note, ada.pk)
    assert jobs.is_over(note, "another")

    run_tasks()
    assert [str(pk) for pk in noted] == [str(ada.pk)]
    assert jobs.is_over(note, ada.pk)


def test_a_function_that_is_no_task_gets_no_view() -> None:
    plain: Any = note.func

    with pytest.raises(TypeError, match=r"^note is no task: decorate it with @task\.$"):
        jobs.enqueue_view(plain)


def test_a_job_gets_a_key_that_json_does_not_know_as_text() -> None:
    key = uuid4()
    note.enqueue(*jobs.as_json(key))
    assert not jobs.is_over(note, key)
