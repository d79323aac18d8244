"""Refuses bad answers of a replay, which does not render cookiecutter.json again.

And folders whose paths Cookiecutter would read as Jinja.
"""

import json
import re
import sys
from pathlib import Path

FOLDER = Path.cwd()  # of the new project
# The raw string ends at three quotes in a row only. JSON never has them: each
# quote inside a text is escaped, and no two texts touch.
PROBLEMS = json.loads(r"""{{ cookiecutter | problems | jsonify }}""")
if found := re.search(r"\{[%#{]", str(FOLDER)):
    PROBLEMS.append(
        f"“{found[0]}” in the path {FOLDER} is Jinja to Cookiecutter, which can write "
        "no project there. Generate it in another folder, with install_now=false, and "
        "move it."
    )

sys.exit("\n".join(PROBLEMS) if PROBLEMS else 0)
