"""The simulator as a job takes it: its origins are known at once, and read when there is work."""

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Final

import torch

from dfsynth.devices import resolve_device
from dfsynth.errors import DfsynthError
from dfsynth.files.json_record import Json, stored_entries
from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairItem, Subject, Subjects
from dfsynth.simulation.dark_field_ct.objects import (
    CtVolumeObjects,
    ObjectOptions,
    ObjectOrigin,
    ProceduralObjects,
)
from dfsynth.simulation.dark_field_ct.pairs import ScannedObjects, settings_of
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.origins import CtOrigin, PairOrigin, PhantomOrigin, RadiographOrigin
from dfsynth.simulation.sampling import SamplingOptions

_REVISIONS: Final[Mapping[str, int]] = {"phantom": 0, "ct": 1, "cxr": 0}
"""How often equal options began to give other values, by origin; raised whenever they do."""


class Simulator:
    """Implements `dfsynth.jobs.pair_maker.PairMaker`."""

    def __init__(self, options: SimulateOptions) -> None:
        """Finds the device and the folders; reads nothing.

        Raises:
            UsageError: the device or a folder is not there.
        """
        self._device = resolve_device(options.device)
        self._scan = settings_of(options) if options.is_of_ct else None
        self._origins = (
            _radiograph_origins(options, self._device)
            if self._scan is None
            else _slice_origins(options, self._scan, self._device)
        )
        self._warnings: list[str] = []
        if options.cxr is not None and (unused := options.unused_by_radiographs):
            self._warnings.append(
                f"--cxr: {' and '.join(unused)} do nothing to radiographs, which stay as they are"
            )

    def settings(self) -> dict[str, Json]:
        """See `PairMaker`; a change of one origin leaves stores without it as they are known."""
        version = 1 + sum(_REVISIONS[name] for name in self._origins)
        hashes = {name: origin.fingerprint() for name, origin in self._origins.items()}
        named = {f"{name} inputs": value for name, value in hashes.items() if value}
        return {"simulator": version, **named, **self._scan_entries()}

    def _scan_entries(self) -> dict[str, Json]:
        """What of the scanner decides values, by name."""
        if self._scan is None:
            return {}
        return {f"scan {name}": value for name, value in stored_entries(self._scan).items()}

    def subjects(self, n: int) -> Subjects:
        """See `PairMaker`; mixed origins go round-robin, every other pair being a phantom."""
        _compute_in_one_thread()
        listings = {name: origin.list_subjects(n) for name, origin in self._origins.items()}
        warnings = [*self._warnings]
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

    def open(self) -> str:
        """See `PairMaker`; volumes and networks are loaded with the first pair that needs them."""
        _compute_in_one_thread()
        return f"simulating on {self._device}"

    def make(self, item: PairItem) -> MadePair:
        """See `PairMaker`."""
        try:
            with torch.inference_mode():
                return self._origins[item.origin].make(item)
        except torch.OutOfMemoryError as error:
            # The machine's failure, not the pair's: a failed row would stay.
            raise DfsynthError(
                "the GPU's memory does not hold a pair; use fewer --workers or a smaller --size, "
                "and run the command again"
            ) from error


def _radiograph_origins(options: SimulateOptions, device: torch.device) -> dict[str, PairOrigin]:
    """What radiographs are made of, by name."""
    sampling = SamplingOptions.of(options)
    origins: dict[str, PairOrigin] = {}
    if options.origin in ("phantom", "mixed"):
        origins["phantom"] = PhantomOrigin(sampling, options.seed, device)
    if options.ct is not None:
        origins["ct"] = CtOrigin(sampling, options.ct, device)
    if options.cxr is not None:
        origins["cxr"] = RadiographOrigin(sampling, options.cxr)
    return origins


def _slice_origins(
    options: SimulateOptions, settings: ScanSettings, device: torch.device
) -> dict[str, PairOrigin]:
    """What slices of dark-field CT are made of, by name."""
    drawn = ObjectOptions(options.size, options.severity, frozenset(options.without))
    objects: dict[str, ObjectOrigin] = {}
    if options.origin in ("phantom", "mixed"):
        objects["phantom"] = ProceduralObjects(drawn, options.seed, device)
    if options.ct is not None:
        objects["ct"] = CtVolumeObjects(drawn, options.ct, device)
    return {name: ScannedObjects(held, settings, device) for name, held in objects.items()}


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
