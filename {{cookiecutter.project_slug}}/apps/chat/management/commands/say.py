"""Post a message from a shell, a script or a scheduled job."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.chat.models import Room
from apps.chat.posting import post_message
from apps.chat.rooms import find_user


class Command(BaseCommand):
    help = "Post a message into a room; everyone in it sees it at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("room", help="slug of the room, as in its URL")
        parser.add_argument("text")
        parser.add_argument("--user", required=True, help="name of the author")

    def handle(
        self, *args: object, room: str, text: str, user: str, **options: object
    ) -> None:
        try:
            message = post_message(
                Room.objects.with_slug(room).get(), find_user(user), text
            )
        except Room.DoesNotExist:
            slugs = ", ".join(Room.objects.values_list("slug", flat=True)[:20])
            raise CommandError(
                f"There is no room “{room}”. The rooms are: {slugs or 'none yet'}."
            ) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"Said as message {message.number}.")
