"""Which degraders there are, by what `--degrader` calls them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch

from dfsynth.checkpoint import CARD
from dfsynth.errors import UsageError
from dfsynth.inference import load_degrader
from dfsynth.simulation.restoration.bicubic import BicubicDegrader
from dfsynth.simulation.restoration.degrader import Degrader
from dfsynth.simulation.restoration.drr_quality import DrrDegrader

_BY_NAME: Final[Mapping[str, Callable[[], Degrader]]] = {
    "drr": DrrDegrader,
    "bicubic": BicubicDegrader,
}


def open_degrader(wanted: str, device: torch.device) -> Degrader:
    """The degrader of a name of `dfsynth.options.DEGRADERS`, or of a checkpoint's folder.

    A trained one computes on `device`, the others on the CPU.

    Raises:
        UsageError: there is none, the checkpoint is a generator, or a library is not installed.
        CheckpointError: it is damaged.
    """
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]()
    folder = Path(wanted)
    if (folder / CARD).is_file() or (folder / "best" / CARD).is_file():
        return load_degrader(wanted, device)
    raise UsageError(
        f"--degrader {wanted}: expected {' or '.join(_BY_NAME)}, or the folder of a trained "
        f"degrader, found {'no degrader' if folder.exists() else 'nothing'} there"
    )
