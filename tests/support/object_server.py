"""An object store on this machine, for tests: moto's, which honours conditional puts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import s3fs
from moto.server import ThreadedMotoServer

SECRET: Final = "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRET"
KEY_ID: Final = "AKIAIOSFODNN7SECRETS"


def environment(url: str) -> dict[str, str]:
    """What a process has to be given to find the store; its credentials must never show."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@contextmanager
def serving() -> Iterator[str]:
    """A server on a free port of the loopback interface; gives its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Bucket:
    """A bucket of the store that the environment names, as other programs see it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._client: Any = s3fs.S3FileSystem(use_listings_cache=False)
        self._client.call_s3("create_bucket", Bucket=name)

    @property
    def url(self) -> str:
        """s3://NAME."""
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes) -> None:
        """Makes an object."""
        self._client.call_s3("put_object", Bucket=self.name, Key=key, Body=content)

    def remove(self, key: str) -> None:
        """Removes an object."""
        self._client.call_s3("delete_object", Bucket=self.name, Key=key)

    def contents(self, prefix: str = "") -> dict[str, bytes]:
        """Every object whose key begins so."""
        page = self._client.call_s3("list_objects_v2", Bucket=self.name, Prefix=prefix)
        found = page.get("Contents", ())
        keys = [entry["Key"] for entry in found]
        return {key: self._client.cat_file(f"{self.name}/{key}") for key in keys}
