"""What `dfsynth train` is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from dfsynth.errors import UsageError
from dfsynth.options.coercion import Coercion, coerce, to_optional_path

_COERCIONS: Final[Mapping[str, Coercion]] = {
    "recipe": str,
    "data": Path,
    "out": Path,
    "targets": to_optional_path,
}


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What `dfsynth train` is asked to do."""

    recipe: str
    """A TOML file or a packaged recipe's name."""
    data: Path
    """A store of pairs, a folder of radiographs (with `targets`), or a table of paths."""
    out: Path
    targets: Path | None = None
    """Folder of dark-field images with the names of those in `data`."""
    start_from: str | None = None
    """A checkpoint with whose weights training begins: a folder or a packaged name."""
    member: int | None = None
    """Which member of an ensemble this is, from 0: initial weights, order, augmentation and dropout
    are drawn anew, and so are the training patients (with replacement); None trains on all."""
    device: str = "auto"
    precision: str = "auto"
    memory_bytes: int = 2_000_000_000
    """For pairs kept in memory between epochs."""

    def __post_init__(self) -> None:
        if self.member is not None and self.member < 0:
            raise UsageError(f"--member {self.member}: expected 0 or more")

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options as people write them, paths as texts among them.

        Raises:
            UsageError: a value that its option cannot take.
            TypeError: an option that does not exist.
        """
        return cls(**coerce(given, _COERCIONS))
