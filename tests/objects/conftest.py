from collections.abc import Iterator
from itertools import count

import pytest
from object_server import Bucket, environment, serving

_NUMBERS = count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; the environment names its store and nothing else of this machine."""
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    # One server for all tests, so that clients which a library keeps stay right.
    return Bucket(f"bucket-{next(_NUMBERS)}")
