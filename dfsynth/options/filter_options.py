"""What `dfsynth filter` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.options.checks import require_disk, require_inputs_on_disk, require_suffix
from dfsynth.options.coercion import to_optional_path, to_place
from dfsynth.options.given import GivenOptions

DEFAULT_ERROR_COLUMN: Final = "predicted_error"
DEFAULT_CONFIDENCE: Final = 0.95
DEFAULT_RISK: Final = 0.1
SELECTION_SUFFIXES: Final = (".parquet", ".csv", ".json")
"""Endings of files for the kept rows."""


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """The promise that is asked for: among kept images, an error above `max_error` is rare."""

    max_error: float
    """Of shape, in (0, 1): see `dfsynth.statistics.shape_error`."""
    risk: float
    """The largest share of kept images with a larger error, in (0, 1)."""
    confidence: float
    """The probability that the promise holds, in (0, 1)."""
    column: str
    """The score whose threshold is looked for."""


@dataclass(frozen=True, slots=True)
class FilterOptions(GivenOptions):
    """What `dfsynth filter` is asked to do.

    Raises:
        UsageError: a value out of its range, or options that do not belong together.
    """

    _coercions: ClassVar = {
        "store": to_place,
        "out": to_optional_path,
        "calibrate": to_optional_path,
    }

    store: AnyPath
    where: str | None = None
    """A SQL condition on the manifest's columns."""
    keep: float | None = None
    """The share to keep, in (0, 1]: those lowest in `by`."""
    by: str | None = None
    """A numeric column; by default predicted_error, and for `keep` uncertainty in a store without
    it."""
    include_no_lung: bool = False
    """Whether images on which no lung was found can pass."""
    out: Path | None = None
    """A file for the kept rows, of the kind that its name says: see `SELECTION_SUFFIXES`."""
    max_error: float | None = None
    """Keep what is promised to have at most this error of shape, in (0, 1)."""
    confidence: float | None = None
    """Of that promise, in (0, 1); 0.95 by default."""
    risk: float | None = None
    """The share of kept images that may have a larger error, in (0, 1); 0.1 by default."""
    checkpoint: str | None = None
    """Of the store: its name or folder; by default the packaged one that made it."""
    calibrate: Path | None = None
    """A store of pairs to calibrate the promise with, in place of the checkpoint's own table."""

    def __post_init__(self) -> None:
        require_disk(self.out)
        require_inputs_on_disk(calibrate=self.calibrate)
        if self.out is not None:
            require_suffix(self.out, SELECTION_SUFFIXES)
        for name in ("max_error", "confidence", "risk"):
            value = getattr(self, name)
            # Written so that NaN is refused too.
            if value is not None and not 0 < value < 1:
                raise UsageError(
                    f"--{name.replace('_', '-')} {value}: expected a number between 0 and 1"
                )
        if self.max_error is None:
            self._refuse_beside_no_limit()
        else:
            self._refuse_beside_a_limit()

    @property
    def limit(self) -> ErrorLimit | None:
        """The promise that is asked for, with what was left to the defaults."""
        if self.max_error is None:
            return None
        return ErrorLimit(
            max_error=self.max_error,
            risk=DEFAULT_RISK if self.risk is None else self.risk,
            confidence=DEFAULT_CONFIDENCE if self.confidence is None else self.confidence,
            column=self.by or DEFAULT_ERROR_COLUMN,
        )

    def _refuse_beside_no_limit(self) -> None:
        for name in ("confidence", "risk", "checkpoint", "calibrate"):
            if getattr(self, name) is not None:
                raise UsageError(
                    f"--{name} goes with --max-error, which was not given: "
                    "for example --max-error 0.5"
                )

    def _refuse_beside_a_limit(self) -> None:
        if self.keep is not None:
            raise UsageError(
                "--keep and --max-error both choose by a score: expected one of them; "
                "--max-error says what share it keeps"
            )
        if self.include_no_lung:
            raise UsageError(
                "--include-no-lung beside --max-error: the promise is of images on which a lung "
                "was found; leave one of them out"
            )
