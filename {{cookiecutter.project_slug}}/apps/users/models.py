"""The project's own user model, so that fields can be added at any time.

For another primary key, see "Add an app" in README.md, before there is data.
"""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    """Somebody with an account. Others see the username."""

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("username"), name="one_case")]
