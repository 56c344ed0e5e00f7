"""Everything dfsynth raises on purpose.

    DfsynthError              exit 1   a failure that the message explains
    ├── UsageError            exit 2   wrong usage: the user can mend the command
    │   ├── ConflictError     exit 2   the store holds something made with other options
    │   └── MissingColumnError exit 2 a filter by a column without numbers (dfsynth.manifest)
    ├── CheckpointError       exit 1   a checkpoint that cannot be trusted
    ├── StoreError            exit 1   a store that cannot be read or written
    │   └── UnwrittenReportError  1    figures without a file (dfsynth.evaluate); it holds them
    └── ImageError            –        one bad input: becomes one manifest row, never ends a run

A message says what failed, what was found, what was expected, and what to do.
"""

from enum import IntEnum, StrEnum
from typing import Self


class ExitStatus(IntEnum):
    """Exit statuses of the command line, each with what `--help` says of it."""

    meaning: str

    DONE = 0, "done"
    FAILURE = 1, "a failure that the message explains, or problems found"
    USAGE = 2, "wrong usage, or a conflict with what is there"
    SOME_IMAGES_FAILED = 3, "done, but some images failed and --strict was given"
    INTERRUPTED = 130, "interrupted (SIGINT)"
    TERMINATED = 143, "terminated (SIGTERM)"

    def __new__(cls, status: int, meaning: str) -> Self:
        """A member is its number, and has its meaning beside."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member


class ErrorCode(StrEnum):
    """Why one image failed: the `error_code` column of the manifest."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    NOT_AN_IMAGE = "not_an_image"
    NO_PIXELS = "no_pixels"
    MULTI_FRAME = "multi_frame"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported_transfer_syntax"
    UNSUPPORTED_FORMAT = "unsupported_format"
    CONSTANT = "constant"
    NON_FINITE = "non_finite"
    NOT_A_CHEST = "not_a_chest"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


class DfsynthError(Exception):
    """A failure that its message explains; the command line exits with `exit_status`."""

    exit_status = ExitStatus.FAILURE


class UsageError(DfsynthError):
    """Wrong usage: an unknown source, a missing root, an option out of range."""

    exit_status = ExitStatus.USAGE


class ConflictError(UsageError):
    """The store holds something made with other options."""


class CheckpointError(DfsynthError):
    """A checkpoint that is damaged or does not fit this version."""


class StoreError(DfsynthError):
    """A store that cannot be read or written."""


class ImageError(DfsynthError):
    """One input that gives no image. `str(error)` is one sentence without any identity."""

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
