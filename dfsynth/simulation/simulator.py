"""The simulator as a job takes it: its origins are known at once, and read when there is work."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import torch

from dfsynth.devices import resolve_device
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.files.json_record import Json
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import (
    CT_TASK,
    MRI_MOTION,
    MRI_UNDERSAMPLED,
    PET_CT,
    RESTORATION,
)
from dfsynth.records import MadePair, PairItem, Subject, Subjects
from dfsynth.simulation.dark_field_ct.pairs import slice_pairs
from dfsynth.simulation.mri.pairs import moved_pairs, undersampled_pairs
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.pet_ct.pairs import pet_ct_pairs
from dfsynth.simulation.radiograph_simulation import radiograph_pairs
from dfsynth.simulation.restoration.pairs import restoration_pairs
from dfsynth.tasks import DEFAULT_TASK

SIMULATIONS: Final[Mapping[str, Callable[[SimulateOptions, torch.device], PairSimulation]]] = {
    DEFAULT_TASK: radiograph_pairs,
    CT_TASK: slice_pairs,
    MRI_UNDERSAMPLED: undersampled_pairs,
    MRI_MOTION: moved_pairs,
    PET_CT: pet_ct_pairs,
    RESTORATION: restoration_pairs,
}
"""What makes the pairs of each task; raises UsageError where the options cannot work."""
_REVISIONS: Final[Mapping[str, int]] = {"phantom": 0, "ct": 2, "cxr": 0, "volume": 0}
"""How often equal options began to give other values, by origin; raised whenever they do."""


class Simulator:
    """Implements `dfsynth.jobs.pair_maker.PairMaker`."""

    def __init__(self, options: SimulateOptions) -> None:
        """Finds the device and the folders; reads nothing.

        Raises:
            UsageError: the device or a folder is not there.
        """
        self._device = resolve_device(options.device)
        self._pairs = SIMULATIONS[options.task](options, self._device)

    def settings(self) -> dict[str, Json]:
        """See `PairMaker`; a change of one origin leaves stores without it as they are known."""
        origins = self._pairs.origins
        version = 1 + sum(_REVISIONS[name] for name in origins)
        hashes = {name: origin.fingerprint() for name, origin in origins.items()}
        named = {f"{name} inputs": value for name, value in hashes.items() if value}
        return {"simulator": version, **named, **self._pairs.settings}

    def subjects(self, n: int | None) -> Subjects:
        """See `PairMaker`; mixed origins go round-robin, every other pair being a phantom.

        Raises:
            UsageError: a folder cannot be used, or nothing says how many pairs there are.
        """
        _compute_in_one_thread()
        if n is None:
            n = self._count()
        listings = {name: each.list_subjects(n) for name, each in self._pairs.origins.items()}
        warnings = [*self._pairs.warnings]
        warnings += itertools.chain.from_iterable(found.warnings for found in listings.values())
        excluded: Counter[str] = Counter()
        for found in listings.values():
            excluded.update(found.excluded)
        usable = tuple(name for name, found in listings.items() if found.lines)
        lines: list[Subject] = []
        taken: Counter[str] = Counter()
        for number, name in enumerate(itertools.islice(itertools.cycle(_round_robin(usable)), n)):
            found = listings[name]
            lines.append(found.lines[number if found.by_pair_index else taken[name]])
            taken[name] += 1
        return Subjects(tuple(lines), dict(excluded), tuple(warnings))

    def _count(self) -> int:
        if self._pairs.count is None:
            raise UsageError("nothing says how many pairs there are; expected --n PAIRS")
        return self._pairs.count()

    def open(self) -> str:
        """See `PairMaker`; volumes and networks are loaded with the first pair that needs them."""
        _compute_in_one_thread()
        return f"simulating on {self._device}"

    def make(self, item: PairItem) -> MadePair:
        """See `PairMaker`."""
        try:
            with torch.inference_mode():
                return self._pairs.origins[item.origin].make(item)
        except torch.OutOfMemoryError as error:
            # The machine's failure, not the pair's: a failed row would stay.
            raise DfsynthError(
                "the GPU's memory does not hold a pair; use fewer --workers or a smaller --size, "
                "and run the command again"
            ) from error


def _compute_in_one_thread() -> None:
    """Of torch, on the CPU: volumes are prepared there for every device.

    Every thread makes a pair of its own; torch's would only get in their way, and sums would
    depend on how many there are.
    """
    torch.set_num_threads(1)


def _round_robin(names: tuple[str, ...]) -> list[str]:
    """phantom, ct → phantom, ct; phantom, ct, cxr → phantom, ct, phantom, cxr."""
    others = [name for name in names if name != "phantom"]
    if "phantom" not in names or not others:
        return list(names)
    return [name for other in others for name in ("phantom", other)]
