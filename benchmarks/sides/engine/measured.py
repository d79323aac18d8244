"""The settings of the project that is measured, and where the region's template is."""

from pathlib import Path

from config import settings
from config.settings import *  # noqa: F403

settings.TEMPLATES[0]["DIRS"].append(Path(__file__).parent)
