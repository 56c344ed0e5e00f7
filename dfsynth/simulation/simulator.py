"""The simulator as the pipeline takes it: sources known at once, the rest when there is work."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch

from dfsynth.devices import resolve_device
from dfsynth.errors import DfsynthError
from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairItem, Subject, Subjects
from dfsynth.simulation.origins.bodies import Phantoms, Volumes
from dfsynth.simulation.origins.origin import Drawing, Origin
from dfsynth.simulation.origins.radiographs import Radiographs

SIMULATOR_VERSION: Final = 1
"""Raised whenever equal options begin to give other values."""


@dataclass(frozen=True, slots=True)
class ReadySimulator:
    """Implements `dfsynth.jobs.Simulator`."""

    description: str
    origins: Mapping[str, Origin]

    def make(self, item: PairItem) -> MadePair:
        """See `Simulator`."""
        try:
            with torch.inference_mode():
                return self.origins[item.origin].make(item)
        except torch.OutOfMemoryError as error:
            # The machine's trouble, not the pair's: a failed row would stay.
            raise DfsynthError(
                "the GPU's memory does not hold a pair; use fewer --workers or a smaller --size, "
                "and run the command again"
            ) from error


class SimulatorMaker:
    """Implements `dfsynth.jobs.PairMaker`."""

    def __init__(self, options: SimulateOptions) -> None:
        """Finds the device and the folders.

        Raises:
            UsageError: the device or a folder is not there.
        """
        self._device = resolve_device(options.device)
        drawing = Drawing.of(options)
        self._origins: dict[str, Origin] = {}
        if options.origin in ("phantom", "mixed"):
            self._origins["phantom"] = Phantoms(drawing, options.seed, self._device)
        if options.ct is not None:
            self._origins["ct"] = Volumes(drawing, options.ct, self._device)
        if options.cxr is not None:
            self._origins["cxr"] = Radiographs(drawing, options.cxr)
        self._warnings: list[str] = []
        if options.cxr is not None and (unused := options.unused_by_radiographs):
            self._warnings.append(
                f"--cxr: {' and '.join(unused)} do nothing to radiographs, which stay as they are"
            )

    def settings(self) -> dict[str, int | str]:
        """See `PairMaker`."""
        hashes = {name: origin.fingerprint() for name, origin in self._origins.items()}
        named = {f"{name} inputs": value for name, value in hashes.items() if value}
        return {"simulator": SIMULATOR_VERSION, **named}

    def subjects(self, n: int) -> Subjects:
        """See `PairMaker`; mixed origins take turns, every other pair being a phantom."""
        _compute_in_one_thread()
        surveys = {name: origin.survey(n) for name, origin in self._origins.items()}
        warnings = [*self._warnings]
        warnings += itertools.chain.from_iterable(s.warnings for s in surveys.values())
        excluded: dict[str, int] = {}
        for survey in surveys.values():
            for reason, count in survey.excluded.items():
                excluded[reason] = excluded.get(reason, 0) + count
        usable = tuple(name for name, survey in surveys.items() if survey.lines)
        turns: list[Subject] = []
        taken: Counter[str] = Counter()
        for number, name in enumerate(itertools.islice(itertools.cycle(_order(usable)), n)):
            survey = surveys[name]
            turns.append(survey.lines[number if survey.by_number else taken[name]])
            taken[name] += 1
        return Subjects(tuple(turns), excluded, tuple(warnings))

    def open(self) -> ReadySimulator:
        """See `PairMaker`."""
        _compute_in_one_thread()
        return ReadySimulator(f"simulating on {self._device}", self._origins)


def make_simulator(options: SimulateOptions) -> SimulatorMaker:
    """The simulator for these options.

    Raises:
        UsageError: the device or a folder is not there.
    """
    return SimulatorMaker(options)


def _compute_in_one_thread() -> None:
    """Of torch, on the CPU: volumes are prepared there for every device.

    Every thread makes a pair of its own; torch's would only get in their way, and sums would
    depend on how many there are.
    """
    torch.set_num_threads(1)


def _order(names: tuple[str, ...]) -> list[str]:
    """phantom, ct → phantom, ct; phantom, ct, cxr → phantom, ct, phantom, cxr."""
    others = [name for name in names if name != "phantom"]
    if "phantom" not in names or not others:
        return list(names)
    return [name for other in others for name in ("phantom", other)]
