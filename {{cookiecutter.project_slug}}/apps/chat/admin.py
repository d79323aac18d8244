from django.contrib import admin
from django.utils.crypto import get_random_string

from apps.chat.models import Message, Room


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "is_private", "creator", "created"]
    list_filter = ["is_private"]
    search_fields = ["name"]
    autocomplete_fields = ["creator", "members"]
    prepopulated_fields = {"slug": ["name"]}

    def save_model(
        self, request: object, obj: Room, form: object, change: bool
    ) -> None:
        """Give a room that becomes private a slug that cannot be guessed."""
        if obj.is_private and "--" not in obj.slug:
            obj.slug = f"{obj.slug[:90]}--{get_random_string(8)}"
        obj.save()


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["room", "number", "author", "text", "created"]
    list_select_related = ["room", "author"]
    ordering = ["-pk"]
    search_fields = ["text"]
    readonly_fields = ["room", "number", "author", "client_id"]
    show_full_result_count = False

    def has_add_permission(self, request: object) -> bool:
        return False  # they would have no number: see post_message()
