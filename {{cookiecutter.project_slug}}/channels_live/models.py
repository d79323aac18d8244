from django.conf import settings
from django.db import models


class Process(models.Model):
    """A process that is alive, or was a moment ago."""

    id = models.UUIDField(primary_key=True)
    seen = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)


class Presence(models.Model):
    """Someone who has a socket in a group, in one process."""

    pk = models.CompositePrimaryKey("group", "user", "process")
    process = models.ForeignKey(Process, on_delete=models.CASCADE)
    group = models.CharField(max_length=100)
    # Whoever comes in while being deleted must not keep the database from that.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


class Change(models.Model):
    """Says that what regions show has changed, or who has to leave. Kept for some minutes."""

    # A region, and the key of it as JSON; without one, all of its keys. Or a message.
    subject = models.TextField()
    # On PostgreSQL, whose ids are not in the order of commits.
    transaction = models.BigIntegerField(null=True, db_index=True)

    def __str__(self) -> str:
        return self.subject
