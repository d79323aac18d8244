import pytest

from channels_live import servers


@pytest.fixture(autouse=True, scope="package")
def installed() -> None:
    """In servers, which are there before Django, this is done already."""
    servers.install()
