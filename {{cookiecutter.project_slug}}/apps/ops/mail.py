"""E-mails that background jobs send, so that no request waits for the mail server."""

import email.message
from collections.abc import Sequence
from email.policy import SMTP
from typing import Any

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections
from django.tasks import TaskContext, task
from django_ox.models import OxTask


class Backend(BaseEmailBackend):
    """Stores messages, in the transaction that they are sent in."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for one in email_messages:
            send.enqueue(
                one.message(policy=SMTP).as_string(), one.from_email, one.recipients()
            )
        return len(email_messages)


class Written(EmailMessage):
    """A message as it was written, whatever the templates and settings are by now."""

    def __init__(self, source: str, sender: str, recipients: list[str]) -> None:
        super().__init__(from_email=sender, to=recipients)
        self.source = source

    def message(self, *, policy: Any = SMTP) -> email.message.EmailMessage:
        return email.message_from_string(self.source, policy=SMTP)


@task(queue_name="mail", takes_context=True, max_attempts=30)  # type: ignore[call-overload]
def send(context: TaskContext, source: str = "", *envelope: Any) -> None:
    """Hand a message to the mail server, and forget what it says.

    Links in it are keys to accounts. No database connection is held meanwhile.
    """
    if source:
        connections.close_all()
        mailers["smtp"].send_messages([Written(source, *envelope)])
        OxTask.objects.filter(pk=context.task_result.id).update(args=[])
