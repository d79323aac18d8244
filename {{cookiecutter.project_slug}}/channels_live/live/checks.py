"""System checks of the project's regions."""

from difflib import get_close_matches

from django.core import checks

from channels_live.live.region import METHODS, Live, regions


@checks.register
def check_templates(**kwargs: object) -> list[checks.CheckMessage]:
    """Warn of regions that cannot be rendered."""
    return [
        checks.Warning(
            f"{name} has no template_name, so it cannot be shown.",
            hint=f'Set template_name = "{name.lower().replace(".", "/")}.html".',
            id="channels_live.W003",
        )
        for name, region in regions.items()
        if not hasattr(region, "template_name")
        and not region.__subclasses__()  # else they are based on it
    ]


@checks.register
def check_rights(**kwargs: object) -> list[checks.CheckMessage]:
    """Warn of regions that nobody may see."""
    return [
        checks.Warning(
            f"{name} has no allows(), so nobody sees it.",
            hint="Define allows(self, user, key), which returns whether the user may.",
            id="channels_live.W002",
        )
        for name, region in regions.items()
        if hasattr(region, "template_name")  # else others are based on it
        and all(getattr(region, name) is getattr(Live, name) for name in METHODS[:3])
    ]


@checks.register
def check_names(**kwargs: object) -> list[checks.CheckMessage]:
    """Warn of names that nothing reads because they are misspelt."""
    return [
        checks.Warning(
            f"{name} has {given}, which nothing reads: is {meant} meant?",
            id="channels_live.W004",
        )
        for name, region in regions.items()
        for given in vars(region)
        if not hasattr(Live, given)
        for meant in get_close_matches(given, (*METHODS, "follows"), 1, 0.8)
        if getattr(region, meant) is getattr(Live, meant)
    ]
