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
    """Why one image failed: the `error_code` column of the manifest, what it means, what to do."""

    meaning: str
    remedy: str

    MISSING = (
        "missing",
        "The file, member of an archive or object is not there",
        "Put it where the source says, or mend the table",
    )
    UNREADABLE = (
        "unreadable",
        "It is there and cannot be read: permissions, an encrypted archive, a folder or a device",
        "Give this user the right to read it; unpack what is encrypted",
    )
    EMPTY = ("empty", "The file has no bytes", "Get it again")
    TOO_LARGE = (
        "too_large",
        "More bytes or pixels than may be read",
        "Raise --max-bytes or --max-pixels, if the file is what it should be",
    )
    TRUNCATED = ("truncated", "The file ends too early", "Get it again")
    CORRUPT = ("corrupt", "Its bytes contradict themselves or their checksum", "Get it again")
    NOT_AN_IMAGE = (
        "not_an_image",
        "The bytes are of no known image format, whatever the name says",
        "Look at the file: it may be a web page or an error message that was saved as an image",
    )
    NO_PIXELS = (
        "no_pixels",
        "A DICOM file that holds no image, such as a report or a presentation state",
        "Leave it out of the source",
    )
    MULTI_FRAME = (
        "multi_frame",
        "Several images in one file",
        "Write the one that is meant to a file of its own",
    )
    UNSUPPORTED_TRANSFER_SYNTAX = (
        "unsupported_transfer_syntax",
        "A DICOM file that is compressed in a way that is not read",
        "Write it uncompressed, for example by dcmdjpeg or gdcmconv --raw",
    )
    UNSUPPORTED_FORMAT = (
        "unsupported_format",
        "An image of a known format, in a form of it that is not read",
        "Write it as PNG, TIFF or DICOM of one grey channel",
    )
    CONSTANT = ("constant", "All pixels are equal", "Look at the file; leave it out")
    NON_FINITE = (
        "non_finite",
        "Pixels, or what the checkpoint makes of them, are infinite or not numbers",
        "Look at the file; where it is in order, look at the checkpoint",
    )
    WRONG_UNIT = (
        "wrong_unit",
        "Values without a unit, or in another one, for a checkpoint that takes values in a unit",
        "Give float TIFF, NumPy, NIfTI or DICOM with a rescaling, in the unit that the checkpoint "
        "takes; for grey values, another checkpoint",
    )
    NOT_A_CHEST = (
        "not_a_chest",
        "No frontal chest could be found in a radiograph that pairs were to be made of",
        "Leave it out of --cxr",
    )
    MISALIGNED = (
        "misaligned",
        "PET and CT of one session do not show the body in the same place",
        "Register them, or leave the session out",
    )
    TIMEOUT = (
        "timeout",
        "Reading and decoding took longer than --timeout",
        "Make the failed rows anew when the disk is idle, or with a longer --timeout",
    )
    INTERNAL = (
        "internal",
        "A failure that dfsynth does not know",
        "Report it, with the output of dfsynth doctor and of the command with -v",
    )

    def __new__(cls, code: str, meaning: str, remedy: str) -> Self:
        """A member is its text in the manifest, and has what to say of it beside."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.remedy = remedy
        return member


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
