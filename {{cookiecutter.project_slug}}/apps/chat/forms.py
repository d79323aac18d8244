from django import forms


class RoomForm(forms.Form):
    name = forms.CharField(
        label="Enter a room",
        max_length=60,
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "placeholder": "Lobby"}
        ),
    )
    is_private = forms.BooleanField(label="Private, if it is new", required=False)
