"""Scores and errors of calibration images: what a card keeps to promise errors by."""

import math
from dataclasses import dataclass
from typing import Final

from dfsynth.checkpoint.entries import Entries

SEMI_SYNTHETIC: Final = frozenset({"cxr"})
"""Origins of pairs whose target is simulated over a real radiograph: no truth to promise by."""


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One image of a calibration patient: what its generated maps score, and how wrong they are.

    Raises:
        ValueError: no patient, a semi-synthetic origin, a score that is not finite, or an error
            outside [0, 1].
    """

    patient_id: str
    origin: str
    """Of the pair: phantom or ct of simulated ones."""
    scores: dict[str, float]
    """Column of the manifest → its value; columns that are null are left out."""
    error: float
    """The error of shape, in [0, 1]: see `dfsynth.statistics.shape_error`."""

    def __post_init__(self) -> None:
        if not self.patient_id:
            raise ValueError("a calibration image names no patient; expected patients as units")
        if self.origin in SEMI_SYNTHETIC:
            raise ValueError(
                f"a calibration image is of the origin {self.origin!r}, whose truth is "
                "semi-synthetic; expected pairs of known truth"
            )
        if not all(map(math.isfinite, self.scores.values())):
            raise ValueError("a calibration image has a score that is not finite; leave it out")
        if not 0 <= self.error <= 1:
            raise ValueError(f"a calibration image has the error {self.error}; expected 0 to 1")


def read_error_calibration(entries: tuple[Entries, ...]) -> tuple[CalibrationRow, ...]:
    """Takes the rows out of the entries of a card.

    Raises:
        ValueError: an entry is missing, unknown or of another kind.
    """
    return tuple(map(_row, entries))


def _row(entries: Entries) -> CalibrationRow:
    row = CalibrationRow(
        patient_id=entries.text("patient_id"),
        origin=entries.text("origin"),
        scores=entries.numbers("scores"),
        error=entries.real("error"),
    )
    entries.finish()
    return row
