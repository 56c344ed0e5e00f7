"""What `dfsynth export` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dfsynth.options.given import GivenOptions


@dataclass(frozen=True, slots=True)
class ExportOptions(GivenOptions):
    """What `dfsynth export` is asked to do."""

    _coercions: ClassVar = {"store": Path, "out": Path}

    store: Path
    out: Path
    """What is written."""
    to: str
    """As what: a name of `dfsynth.jobs.export.EXPORTERS`."""
    overwrite: bool = False
    """Whether a store that is there is to be removed."""
