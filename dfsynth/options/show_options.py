"""What `dfsynth show` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.options.checks import require_disk, require_suffix
from dfsynth.options.coercion import (
    to_names,
    to_optional_path,
    to_optional_place,
    to_optional_text,
    to_place,
)
from dfsynth.options.given import GivenOptions

IMAGE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
"""Endings of files for a contact sheet."""


@dataclass(frozen=True, slots=True)
class ShowOptions(GivenOptions):
    """What `dfsynth show` was asked for.

    Raises:
        UsageError: a value out of its range, or options that exclude each other.
    """

    _coercions: ClassVar = {
        "store": to_place,
        "out": to_optional_path,
        "ids": to_names,
        "source": to_optional_text,
        "root": to_optional_place,
        "truth": to_optional_place,
    }

    store: AnyPath
    out: Path | None = None
    """The image file to write, of the kind that its name says: see `IMAGE_SUFFIXES`. By default
    beside the store, as x.zarr.png."""
    images: int = 8
    """How many, spread evenly over those that finished."""
    ids: tuple[str, ...] = ()
    """These images instead, finished or not."""
    where: str | None = None
    """A SQL condition on the manifest's columns: of the images that meet it only."""
    worst: int | None = None
    """Instead so many images that `by` likes least, beside as many that it likes best."""
    by: str | None = None
    """A column of numbers of the manifest. Where only `worst` is given: `predicted_error` if the
    store has it, else `uncertainty`."""
    source: str | None = None
    """Where the radiographs are, if the store lacks them."""
    root: AnyPath | None = None
    """Root of `source`."""
    truth: AnyPath | None = None
    """The store of simulated pairs whose inputs were given, under their names: their truth stands
    beside what was made of them."""
    max_pixels: int | None = None
    """Largest radiograph decoded, in pixels; where the build raised it, so must this."""
    max_bytes: int | None = None
    """Largest file read."""

    def __post_init__(self) -> None:
        require_disk(self.out)
        if self.out is not None:
            require_suffix(self.out, IMAGE_SUFFIXES)
        for name, value in (("--images", self.images), ("--worst", self.worst)):
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}: expected 1 or more")
        if self.by is not None and self.worst is None:
            raise UsageError(
                f"--by {self.by}: expected --worst N with it, for example --worst 6 --by {self.by}"
            )
        others = {"--worst": self.worst, "--where": self.where}
        chosen = [name for name, value in others.items() if value is not None]
        if self.ids and chosen:
            raise UsageError(
                f"found --ids and {chosen[0]}; expected one of them: --ids names the images itself"
            )

    @property
    def image_file(self) -> Path:
        """Where the image goes."""
        if isinstance(self.store, ObjectPath):
            return self.out or Path(f"{self.store.name}.png")
        # Resolved, since `.` has no name to build on.
        whole = self.store.resolve()
        return self.out or whole.parent / f"{whole.name}.png"
