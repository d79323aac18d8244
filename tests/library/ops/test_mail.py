"""E-mails are jobs: no request waits for the mail server, and no message is lost."""

import threading
from email import message_from_string
from email.policy import default
from io import StringIO

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from django.db import connections as database
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from django_ox.models import OxTask
from django_ox.worker import Worker
from pytest_django import Settings

from apps.ops.mail import Console
from tests.library.helpers.smtp import mail_server

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct-horse-battery-9"


@pytest.fixture
def port(settings: Settings) -> int:
    """A port at which nobody listens."""
    with mail_server() as server:
        pass
    use(settings, server.port)
    return server.port


def use(settings: Settings, port: int) -> None:
    options = {"host": "127.0.0.1", "port": port, "timeout": 10}
    settings.MAILERS = {
        "default": {"BACKEND": "apps.ops.mail.Backend", "OPTIONS": options}
    }


def write(text: str = "It is done.") -> None:
    send_mail("Done", text, None, ["ada@example.org"])


def work() -> bool:
    return Worker(queues=["mail"]).run_once()


def test_in_the_console_links_and_names_are_whole() -> None:
    console = StringIO()
    link = f"https://example.org/{'key' * 60}/"
    message = EmailMultiAlternatives("Größe", f"Zoë, open\n{link}\n", "a@example.org")
    message.to = ["Zoë <zoe@example.org>"]
    message.attach_alternative(f'<a href="{link}">Schön</a>', "text/html")

    assert Console(stream=console).send_messages([message]) == 1

    printed = console.getvalue()
    assert f"Zoë, open\n{link}\n" in printed
    assert f'<a href="{link}">Schön</a>' in printed
    assert "Subject: Größe\n" in printed
    assert "Zoë" in printed.partition("\n\n")[0]


def test_it_is_sent_as_it_was_written(settings: Settings) -> None:
    message = EmailMultiAlternatives("Größe", "Schön.", "Bob <bob@example.org>")
    message.to, message.bcc = ["ada@example.org"], ["eve@example.org"]
    message.attach_alternative("<p>Schön.</p>", "text/html")
    message.attach("a.bin", bytes(range(256)), "application/octet-stream")
    with mail_server() as server:
        use(settings, server.port)
        assert message.send() == 1
        assert work()
    [(recipients, source)] = server.taken
    assert recipients == ["ada@example.org", "eve@example.org"]
    taken = message_from_string(source, policy=default)
    assert (taken["Subject"], taken["From"]) == ("Größe", "Bob <bob@example.org>")
    assert "eve" not in source
    assert taken["Date"]
    assert taken["Message-ID"]
    plain, html = taken.get_body(["plain"]), taken.get_body(["html"])
    assert plain
    assert plain.get_content().strip() == "Schön."
    assert html
    assert html.get_content().strip() == "<p>Schön.</p>"
    [file] = taken.iter_attachments()
    assert file.get_content() == bytes(range(256))


def test_it_leaves_after_the_commit_and_not_after_a_rollback(
    settings: Settings,
) -> None:
    with mail_server() as server:
        use(settings, server.port)
        with transaction.atomic():
            write()
            transaction.set_rollback(True)
        assert not work()
        with transaction.atomic():
            write()
            assert not server.called.is_set()
        assert work()
        assert len(server.taken) == 1


def test_a_message_is_tried_again(settings: Settings, port: int) -> None:
    write()
    assert work()
    job = OxTask.objects.get()
    assert (job.status, job.attempts, job.max_attempts) == ("READY", 1, 30)
    assert job.run_after
    assert job.run_after > now()
    with mail_server() as server:
        use(settings, server.port)
        OxTask.objects.update(run_after=now())
        assert work()
    assert len(server.taken) == 1


def test_nothing_is_kept_of_what_was_sent(settings: Settings) -> None:
    with mail_server() as server:
        use(settings, server.port)
        write("https://example.org/a-key/")
        assert "a-key" in str(OxTask.objects.values())
        assert work()
        assert "a-key" not in str(OxTask.objects.values())
        # As if the process had died before it could say that it is done.
        OxTask.objects.update(status="READY")
        assert work()
    assert len(server.taken) == 1


def test_no_database_connection_waits_for_a_server_that_hangs(
    settings: Settings,
) -> None:
    connections = []

    def run() -> None:
        connections.append(database["default"])
        work()

    with mail_server(hangs=True) as server:
        use(settings, server.port)
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 0.5
        write()
        thread = threading.Thread(target=run)
        thread.start()
        assert server.called.wait(10)
        assert connections[0].connection is None
        thread.join(10)
    assert OxTask.objects.get().status == "READY"


def test_signing_up_needs_no_mail_server(client: Client, port: int) -> None:
    form = {
        "username": "ada",
        "email": "ada@example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert client.post(reverse("account_signup"), form).status_code == 302
    assert OxTask.objects.get().queue_name == "mail"
