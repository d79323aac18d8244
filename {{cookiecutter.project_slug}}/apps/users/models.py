"""The project's own user model, so that fields can be added at any time."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody with an account. Others see the username."""
