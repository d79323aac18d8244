"""nginx with Nchan: publish and subscribe in C, which keeps messages in memory."""

import shutil
import sys
from pathlib import Path

from benchmarks.services import Command
from benchmarks.sides.base import Place, Side
from benchmarks.sides.open import OpenVisit

HERE = Path(__file__).resolve().parent
MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class Nchan(Side):
    name = "nchan"
    title = "nginx with Nchan"

    def build(self, place: Place) -> None:
        if not shutil.which("nginx") or not MODULE.exists():
            raise RuntimeError("Nchan is missing: apt-get install libnginx-mod-nchan.")
        (place.folder / "nchan").mkdir(exist_ok=True)

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        folder = place.folder / "nchan"
        start: list[str | Path] = [sys.executable, HERE / "start.py", folder, "{port}"]
        return OpenVisit(Command(start, folder, {}), "/room-{room}")
