"""A moving picture of pages that stand side by side, each in a window of its own."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page

MARGIN = 24
BAR = 28
RADIUS = 10
BACKDROP = "#dfe5ee"
BARS = {"light": "#f2f2f4", "dark": "#2b2d31"}
LIGHTS = ("#ff5f57", "#febc2e", "#28c840")


@dataclass
class Film:
    """Takes pictures of pages, `(page, colour scheme)` each, from left to right."""

    pages: Sequence[tuple[Page, str]]
    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def take(self, milliseconds: int) -> None:
        """Add what the pages show now, to be seen for as long."""
        windows = [framed(page.screenshot(), scheme) for page, scheme in self.pages]
        width = sum(one.width for one in windows) + MARGIN * (len(windows) + 1)
        height = max(one.height for one in windows) + 2 * MARGIN
        frame = Image.new("RGB", (width, height), BACKDROP)
        left = MARGIN
        for window in windows:
            frame.paste(window, (left, MARGIN), window)
            left += window.width + MARGIN
        self.frames.append(frame)
        self.durations.append(milliseconds)

    def save(self, path: Path) -> None:
        first, *others = self.frames
        path.parent.mkdir(exist_ok=True)
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.durations,
            loop=0,
            quality=70,
            method=6,
        )


def framed(screenshot: bytes, scheme: str) -> Image.Image:
    """A screenshot in a window with rounded corners."""
    page = Image.open(io.BytesIO(screenshot)).convert("RGBA")
    size = (page.width, page.height + BAR)
    window = Image.new("RGBA", size, BARS[scheme])
    window.paste(page, (0, BAR))
    pen = ImageDraw.Draw(window)
    for number, colour in enumerate(LIGHTS):
        left = 14 + 18 * number
        pen.ellipse((left, 9, left + 10, 19), fill=colour)
    # Drawn larger than it is, for smooth corners.
    mask = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    corners = (0, 0, size[0] * 4 - 1, size[1] * 4 - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corners, RADIUS * 4, fill=255)
    window.putalpha(mask.resize(size))
    return window
