"""E-mails that background jobs send, so that no request waits for the mail server.

In development, they appear in the console.
"""

from collections.abc import Sequence
from email.policy import SMTP
from typing import Any

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends import console
from django.core.mail.backends.smtp import EmailBackend
from django.db import connections
from django.tasks import TaskContext, task
from django_ox.models import OxTask

# As lines of up to 998 characters, which hold links, may be sent.
READABLE = SMTP.clone(linesep="\n", max_line_length=998, cte_type="8bit", utf8=True)


class Console(console.EmailBackend):
    """Prints e-mails unencoded: Django breaks long links, with = at the end of lines."""

    def write_message(self, message: EmailMessage) -> None:
        text = message.message(policy=READABLE).as_bytes().decode(errors="replace")
        self.stream.write(f"{text}\n{'-' * 79}\n")


class Backend(EmailBackend):
    """Stores rendered messages as jobs, in the current transaction."""

    alias: str

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for one in email_messages:
            sender, *recipients = map(
                self.prep_address, [one.from_email, *one.recipients()]
            )
            source = one.message(policy=SMTP).as_string()
            send.enqueue(self.alias, sender, recipients, source)
        return len(email_messages)


@task(queue_name="mail", takes_context=True, max_attempts=30)  # type: ignore[call-overload]
def send(context: TaskContext, mailer: str = "", *message: Any) -> None:
    """Send a message, then delete its text, because links in it open accounts.

    No database connection is held meanwhile.
    """
    if message:
        connections.close_all()
        server: Any = mailers[mailer]
        with server:
            server.connection.sendmail(*message)
        OxTask.objects.filter(pk=context.task_result.id).update(args=[])
