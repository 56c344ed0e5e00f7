"""What `dfsynth report` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.options.checks import require_disk
from dfsynth.options.coercion import (
    to_optional_path,
    to_optional_place,
    to_optional_text,
    to_place,
)
from dfsynth.options.given import GivenOptions

DEFAULT_THUMBNAILS: Final = 600


@dataclass(frozen=True, slots=True)
class ReportOptions(GivenOptions):
    """What `dfsynth report` was asked for.

    Raises:
        UsageError: a value out of its range.
    """

    _coercions: ClassVar = {
        "store": to_place,
        "out": to_optional_path,
        "source": to_optional_text,
        "root": to_optional_place,
    }

    store: AnyPath
    """A store of images or of pairs, or the folder that `dfsynth evaluate` wrote."""
    out: Path | None = None
    """The folder to write; an earlier report is replaced. By default beside the store, as
    x.zarr.report."""
    thumbnails: int = DEFAULT_THUMBNAILS
    """How many images have thumbnails, spread over every score; 0 for none."""
    source: str | None = None
    """Where the radiographs are, if the store lacks them."""
    root: AnyPath | None = None
    """Root of `source`."""
    checkpoint: str | None = None
    """Of the store, name or folder, for the expected error; by default the packaged one that made
    it."""
    max_pixels: int | None = None
    """Largest radiograph decoded, in pixels; where the build raised it, so must this."""
    max_bytes: int | None = None
    """Largest file read."""

    def __post_init__(self) -> None:
        require_disk(self.out)
        if self.thumbnails < 0:
            raise UsageError(f"--thumbnails {self.thumbnails}: expected 0 or more")

    @property
    def folder(self) -> Path:
        """Where the report goes."""
        if isinstance(self.store, ObjectPath):
            return self.out or Path(f"{self.store.name}.report")
        # Resolved, since `.` has no name to build on.
        whole = self.store.resolve()
        return self.out or whole.parent / f"{whole.name}.report"
