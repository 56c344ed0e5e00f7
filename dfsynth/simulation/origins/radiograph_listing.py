"""Which radiographs of a source can be used, and whose they are: each is opened and looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pyarrow as pa
import pydicom

from dfsynth.counted_nouns import counted
from dfsynth.decode.sniff import Format, sniff
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.source.dicom_patient import PATIENT_TAGS, digest_patient
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

_AT_ONCE: Final = 16
_WARNINGS: Final = 20
_NOT_FRONTAL: Final = frozenset(
    {"L", "R", "LL", "RL", "LAT", "LATERAL", "LLO", "RLO", "LLD", "RLD", "OBLIQUE"}
)
"""Views from the side, oblique ones, and of patients who lie on their side."""


@dataclass(frozen=True, slots=True)
class ListedRadiograph:
    """One line of a source's listing."""

    uri: str
    patient: str | None
    """As the source's table names it."""
    view: str | None


@dataclass(frozen=True, slots=True)
class UsableRadiographs:
    """What was found among the first radiographs of a listing."""

    usable: tuple[tuple[str, str | None], ...]
    """(uri, patient); of DICOM files of one patient, the patient is the first file's uri."""
    refused: tuple[tuple[str, ImageError], ...]

    def warnings(self) -> Iterator[str]:
        """Which were refused and why, and what is not known of the others."""
        for uri, error in self.refused[:_WARNINGS]:
            yield f"--cxr: {uri}: {error}"
        if len(self.refused) > _WARNINGS:
            yield f"--cxr: {len(self.refused) - _WARNINGS} more cannot be used"
        if nameless := sum(patient is None for _, patient in self.usable):
            yield (
                f"--cxr: no patient is known of {nameless} of "
                f"{counted(len(self.usable), 'radiograph')}, so each counts as a patient of "
                "its own, and two of one patient may come into two splits; give --cxr a table "
                "with the columns file and patient_id"
            )


def listed_radiographs(table: pa.Table) -> list[ListedRadiograph]:
    """The lines of a source's listing."""
    columns = (table.column(name).to_pylist() for name in ("uri", "patient_id", "view"))
    return [ListedRadiograph(*line) for line in zip(*columns, strict=True)]


def find_usable(
    listed: list[ListedRadiograph], examine: Callable[[ListedRadiograph], str | None], count: int
) -> UsableRadiographs:
    """The first `count` radiographs that `examine` accepts, and those before them that it refuses.

    No more are opened than that takes, but for some at the end: a folder may hold millions.

    Args:
        examine: gives the digest of the patient that the header names, if any; raises
            ImageError; called by several threads at once.
    """
    usable: list[tuple[str, str | None]] = []
    refused: list[tuple[str, ImageError]] = []
    first: dict[str, str] = {}
    for radiograph, found in _examined(listed, examine):
        if isinstance(found, ImageError):
            refused.append((radiograph.uri, found))
            continue
        known = None if found is None else first.setdefault(found, radiograph.uri)
        usable.append((radiograph.uri, radiograph.patient or known))
        if len(usable) == count:
            break
    return UsableRadiographs(tuple(usable), tuple(refused))


def _examined(
    listed: list[ListedRadiograph], examine: Callable[[ListedRadiograph], str | None]
) -> Iterator[tuple[ListedRadiograph, str | ImageError | None]]:
    def attempt(radiograph: ListedRadiograph) -> str | ImageError | None:
        try:
            return examine(radiograph)
        except ImageError as error:
            return error

    with thread_pool("examine", available_cores()) as pool:
        yield from Prefetch(pool, attempt, listed, _AT_ONCE)


def require_frontal(view: str | None) -> None:
    """Requires a view that is frontal or unknown.

    Raises:
        ImageError: the view is of the side.
    """
    if view is not None and view.strip().upper() in _NOT_FRONTAL:
        raise ImageError(
            ErrorCode.NOT_A_CHEST,
            f"its view is {view.strip().upper()}; a frontal radiograph, PA or AP, was expected",
        )


def read_header(data: bytes) -> tuple[str | None, str | None]:
    """(view, digest of the patient) of a DICOM file that was decoded; None for what it lacks."""
    if sniff(data) is not Format.DICOM:
        return None, None
    tags = ["ViewPosition", *PATIENT_TAGS]
    header = pydicom.dcmread(BytesIO(data), force=True, stop_before_pixels=True, specific_tags=tags)
    return str(header.get("ViewPosition") or "") or None, digest_patient(header)
