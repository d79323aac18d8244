"""Refuses bad answers of a replay, which does not render cookiecutter.json again."""

import json
import sys

# The raw string ends at three quotes in a row only. JSON never has them: each
# quote inside a text is escaped, and no two texts touch.
PROBLEMS = json.loads(r"""{{ cookiecutter | problems | jsonify }}""")

sys.exit("\n".join(PROBLEMS) if PROBLEMS else 0)
