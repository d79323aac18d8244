"""Pages are in the language that the browser asks for."""

import pytest
from django.test import Client
from pytest_django.asserts import assertContains


@pytest.mark.parametrize(
    ("accepted", "language", "word"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Anmelden"),
        ("en-GB,de;q=0.5", "en", "Sign In"),
        ("tlh", "en", "Sign In"),
    ],
)
def test_a_page_follows_the_browser(
    client: Client, accepted: str, language: str, word: str
) -> None:
    response = client.get("/", headers={"accept-language": accepted})

    assertContains(response, f'<html lang="{language}">')
    assertContains(response, word)
    assert "Accept-Language" in response.headers["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/no/such/page/", "/accounts/login/"])
def test_so_do_errors_and_the_pages_of_accounts(client: Client, path: str) -> None:
    response = client.get(path, headers={"accept-language": "de"})

    assert 'lang="de"' in response.text
    assert "Zum Inhalt springen" in response.text


def test_what_a_form_says_is_translated_too() -> None:
    response = Client(enforce_csrf_checks=True).post(
        "/accounts/login/", headers={"accept-language": "de"}
    )

    assertContains(response, "Dieses Formular ist abgelaufen", status_code=403)
