"""What `dfsynth train` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dfsynth.errors import UsageError
from dfsynth.options.checks import require_disk, require_inputs_on_disk
from dfsynth.options.coercion import to_optional_path, to_optional_text, to_path
from dfsynth.options.given import GivenOptions


@dataclass(frozen=True, slots=True)
class TrainOptions(GivenOptions):
    """What `dfsynth train` is asked to do."""

    _coercions: ClassVar = {
        "recipe": str,
        "data": to_path,
        "out": to_path,
        "targets": to_optional_path,
        "task": to_optional_text,
    }

    recipe: str
    """A TOML file or a packaged recipe's name."""
    data: Path
    """A store of pairs, a folder of inputs (with `targets`), or a table of paths; of unpaired
    recipes a collection of good radiographs."""
    out: Path
    targets: Path | None = None
    """Folder of targets with the names of the inputs in `data`; of unpaired recipes a collection of
    images of the domain to degrade to."""
    task: str | None = None
    """The task that the recipe is fitted to: a name, or the TOML file of one; None keeps the
    recipe's."""
    size: int | None = None
    """Side of the square grid in pixels that the recipe is fitted to; None keeps the recipe's."""
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
        require_disk(self.out)
        require_inputs_on_disk(data=self.data, targets=self.targets)
        if self.member is not None and self.member < 0:
            raise UsageError(f"--member {self.member}: expected 0 or more")
