from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import IntegrityError
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.users.backends import let_go

# Without an @, which addresses have: a name may not be the address of somebody else.
USERNAME_VALIDATORS = [
    ASCIIUsernameValidator(
        r"^[\w.+-]+\Z",
        _("Enter a valid username: letters from a to z, digits and . + - _ only."),
    )
]


class SignupForm(forms.SignupForm):
    def try_save(self, request: HttpRequest) -> tuple[Any, Any]:
        let_go()
        try:
            saved: tuple[Any, Any] = super().try_save(request)
            return saved
        except IntegrityError:  # somebody else took the name at the same time
            self.add_error("username", get_adapter().error_messages["username_taken"])
            return None, render(request, "account/signup.html", {"form": self})
