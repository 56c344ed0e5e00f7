"""What `dfsynth export` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dfsynth.options.checks import require_out
from dfsynth.options.coercion import to_path
from dfsynth.options.given import GivenOptions


@dataclass(frozen=True, slots=True)
class ExportOptions(GivenOptions):
    """What `dfsynth export` is asked to do.

    Raises:
        UsageError: `out` cannot be a store's name.
    """

    _coercions: ClassVar = {"store": Path, "out": to_path}

    store: Path
    out: Path
    """What is written."""
    to: str
    """As what: a name of `dfsynth.jobs.export.EXPORTERS`."""
    overwrite: bool = False
    """Whether a store that is there is to be removed."""

    def __post_init__(self) -> None:
        require_out(self.out)
