import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from apps.users.models import User

PASSWORD = "Engines-weave-algebra-1"


def test_users_are_listed(admin_client: Client, admin_user: User) -> None:
    response = admin_client.get(reverse("admin:users_user_changelist"))

    assertContains(response, admin_user.username)


def test_no_list_offers_more_than_a_page(admin_client: Client) -> None:
    User.objects.bulk_create(User(username=f"u{number}") for number in range(100))

    response = admin_client.get(reverse("admin:users_user_changelist"))

    assertContains(response, "0 of 100 selected")
    assertNotContains(response, "Select all 101")


def test_a_user_can_be_added(admin_client: Client) -> None:
    admin_client.post(
        reverse("admin:users_user_add"),
        {
            "username": "ada",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    assert User.objects.get(username="ada").check_password(PASSWORD)


@pytest.mark.django_db
def test_others_are_kept_out(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))

    response = client.get(reverse("admin:users_user_changelist"))

    assert response.status_code == 302
