"""Fill the chat with a few people, rooms and messages."""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.chat.models import Message, Room
from apps.users.models import User

STAFF = "ada"
PEOPLE = (STAFF, "grace", "linus", "katherine")
LOBBY = (
    ("grace", "Good morning! The staging server is back."),
    ("linus", "What was it?"),
    ("grace", "A full disk. Old logs, of all things."),
    ("katherine", "I moved them away on Friday … to the same disk. Sorry!"),
    ("ada", "Can we keep two weeks of them? Nobody reads older ones."),
    ("grace", "Done:\n- rotated every night\n- an alarm at 80 % 😀"),
    ("katherine", "Written down: https://docs.example.org/runbooks/disks"),
    ("ada", "Thank you, both of you. Lunch at 12:30?"),
    ("katherine", "The new place with the soups?"),
)
ATTIC = (
    ("katherine", "Ada has her birthday on Thursday. Cake?"),
    ("linus", "Cake. I know where the good ones are."),
    ("katherine", "Not a word in the lobby, then!"),
)
# Name, whether it is private, and what was said. Who speaks first is the creator.
ROOMS = (("Lobby", False, LOBBY), ("Attic", True, ATTIC))
PAUSE = timedelta(minutes=4)


class Command(BaseCommand):
    help = "Fill the chat with a few people and rooms, in development."

    def handle(self, *args: object, **options: object) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "All users of the demo have one password, so it runs in development "
                "only, where DEBUG is true."
            )
        # The same in each run, and secret as long as SECRET_KEY is.
        digest = salted_hmac(__name__, "password", algorithm="sha256").hexdigest()
        password = digest[:12]
        with transaction.atomic():
            people = make_people(password)
            for name, is_private, said in ROOMS:
                make_room(name, [(people[who], text) for who, text in said], is_private)
        self.report(people, password)

    def report(self, people: dict[str, User], password: str) -> None:
        can_log_in = [one for one in people.values() if one.check_password(password)]
        if can_log_in:
            self.stdout.write(f"Log in with the password {password} as")
        for user in can_log_in:
            role = " (staff: sees the admin)" if user.is_staff else ""
            self.stdout.write(f"  {user.username}{role}")
        for user in people.values():
            if user not in can_log_in:
                self.stdout.write(f"{user.username} has a password of their own.")
        for name, is_private, said in ROOMS:
            members = ", ".join(sorted({who for who, _ in said}))
            self.stdout.write(
                f"Room {name}, {f'for {members} only' if is_private else 'for everyone'}"
            )


def make_people(password: str) -> dict[str, User]:
    """Return the people by name. Create those who are missing."""
    there = {user.username: user for user in User.objects.filter(username__in=PEOPLE)}
    encoded = make_password(password)
    return {
        name: there.get(name)
        or User.objects.create(
            username=name,
            password=encoded,
            email=f"{name}@example.org",
            is_staff=name == STAFF,
            is_superuser=name == STAFF,
        )
        for name in PEOPLE
    }


def make_room(name: str, said: list[tuple[User, str]], is_private: bool) -> None:
    """Create a room with its messages, unless the room exists."""
    creator, _ = said[0]
    room, is_new = Room.objects.get_or_create(
        slug=name.lower(),
        defaults={
            "name": name,
            "creator": creator,
            "is_private": is_private,
            "last_number": len(said),
        },
    )
    if not is_new:
        return
    if is_private:
        room.members.add(*(author for author, _ in said))
    start = timezone.now() - len(said) * PAUSE
    Message.objects.bulk_create(
        Message(
            room=room,
            author=author,
            number=number,
            client_id=uuid4(),
            text=text,
            created=start + (number - 1) * PAUSE,
        )
        for number, (author, text) in enumerate(said, 1)
    )
