"""Writes nginx's configuration for a port and becomes nginx."""

import os
import sys
from pathlib import Path

folder, port = Path(sys.argv[1]), sys.argv[2]
template = Path(__file__).with_name("nginx.conf").read_text()
(folder / "nginx.conf").write_text(template.format(folder=folder, port=port))
arguments = ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]
os.execvp(arguments[0], arguments)  # noqa: S606 - it is to be measured in our place
