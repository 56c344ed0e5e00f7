"""Turns what an object store refuses into one sentence that says what to do.

Its own messages are never repeated, nor printed as a cause: some quote keys and signatures.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from dfsynth.errors import DfsynthError, UsageError

_AGAIN: Final = "and run the same command again"
_CREDENTIALS: Final = (
    "the credentials are missing, wrong or have expired",
    f"set those of this store in the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, …), {_AGAIN}",
)
_DENIED: Final = (
    "permission is denied",
    f"allow these credentials to list, read and, for --out, write there, {_AGAIN}",
)
_UNREACHABLE: Final = (
    "the object store does not answer",
    f"check the network and AWS_ENDPOINT_URL, {_AGAIN}",
)
_BUSY: Final = ("the object store is overloaded", f"wait, {_AGAIN}")
_REMEDIES: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            "NoCredentialsError",
            "PartialCredentialsError",
            "CredentialRetrievalError",
            "ProfileNotFound",
            "TokenRetrievalError",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "TokenRefreshRequired",
        ),
        _CREDENTIALS,
    ),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "403"), _DENIED),
    **dict.fromkeys(
        (
            "EndpointConnectionError",
            "ConnectTimeoutError",
            "ConnectionClosedError",
            "ReadTimeoutError",
            "SSLError",
            "ProxyConnectionError",
            "FSTimeoutError",
        ),
        _UNREACHABLE,
    ),
    **dict.fromkeys(("SlowDown", "ServiceUnavailable", "InternalError", "500", "503"), _BUSY),
}
_NO_BUCKET: Final = frozenset({"NoSuchBucket", "InvalidBucketName", "ParamValidationError"})
_WORD: Final = re.compile(r"[A-Za-z0-9.]{1,40}")


def code_of(error: BaseException) -> str:
    """The error code of the store where it gave one, else the name of the error's class."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None)
        if isinstance(response, dict):
            code = str(response.get("Error", {}).get("Code", ""))
            if _WORD.fullmatch(code):
                return code
        seen = seen.__cause__ or seen.__context__
    return type(error).__name__


def _raised_by_libraries() -> tuple[type[Exception], ...]:
    """Asked only when something was raised: the first use of botocore takes a while."""
    known = sys.modules.get("botocore.exceptions")
    return OSError, *((known.BotoCoreError, known.ClientError) if known else ())


def is_missing(error: BaseException) -> bool:
    """Whether the store says that there is no such object, though there is the bucket."""
    return code_of(error) in {"NoSuchKey", "404", "FileNotFoundError"}


@contextmanager
def object_faults(action: str, bucket: str, kind: type[DfsynthError]) -> Iterator[None]:
    """Raises what the library raises in its body as one of ours; "write s3://b/x" is an action.

    Raises:
        UsageError: there is no such bucket.
        DfsynthError: of the kind given, for all else.
    """
    try:
        yield
    except _raised_by_libraries() as error:
        raise _fault(action, bucket, code_of(error), kind) from None


def _fault(action: str, bucket: str, code: str, kind: type[DfsynthError]) -> DfsynthError:
    if code in _NO_BUCKET:
        return UsageError(
            f"cannot {action}: there is no bucket {bucket!r} ({code}); make it first, or check its "
            "name and AWS_ENDPOINT_URL"
        )
    found, remedy = _REMEDIES.get(
        code, ("the object store refused it", f"check the store and its messages, {_AGAIN}")
    )
    return kind(f"cannot {action}: {found} ({code}); {remedy}")
