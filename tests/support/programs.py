"""Programs of the machine that no Python package brings."""

import os
import shutil

import pytest


def find_program(*names: str) -> str:
    """The first of these programs that the machine has.

    CI has them all: there, to miss one is a failure. Elsewhere, whoever works on
    something else need not install a browser or a proxy.
    """
    path = f"{os.environ['PATH']}:/usr/sbin"
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    missing = f"No {' or '.join(names)} on the PATH: `sudo .ci/install` brings it."
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
