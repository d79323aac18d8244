from django import forms
from django.utils.translation import gettext_lazy as _


class RoomForm(forms.Form):
    name = forms.CharField(
        label=_("Enter a room"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "placeholder": _("Lobby")}
        ),
    )
    is_private = forms.BooleanField(label=_("Private, if it is new"), required=False)
