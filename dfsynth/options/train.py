"""What `dfsynth train` is asked to do."""

from dataclasses import dataclass
from pathlib import Path


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
    device: str = "auto"
    precision: str = "auto"
    memory_bytes: int = 2_000_000_000
    """For pairs kept in memory between epochs."""
