"""Which degraders there are, by what `--degrader` calls them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.simulation.restoration.bicubic import BicubicDegrader
from dfsynth.simulation.restoration.degrader import Degrader
from dfsynth.simulation.restoration.drr_quality import DrrDegrader

_BY_NAME: Final[Mapping[str, Callable[[], Degrader]]] = {
    "drr": DrrDegrader,
    "bicubic": BicubicDegrader,
}


def open_degrader(wanted: str) -> Degrader:
    """The degrader of a name of `dfsynth.options.DEGRADERS`.

    Raises:
        UsageError: there is none.
    """
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]()
    folder = Path(wanted)
    raise UsageError(
        f"--degrader {wanted}: expected {' or '.join(_BY_NAME)}, or the folder of a trained "
        f"degrader, found {'no degrader' if folder.exists() else 'nothing'} there"
    )
