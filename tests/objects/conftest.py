from collections.abc import Iterator
from itertools import count

import pytest
import s3fs
from object_server import Bucket, environment, serving

_NUMBERS = count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket; the environment names its store and nothing else of this machine."""
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    s3fs.S3FileSystem.clear_instance_cache()
    yield Bucket(f"bucket-{next(_NUMBERS)}")
    s3fs.S3FileSystem.clear_instance_cache()
