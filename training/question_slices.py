"""Slices of dark-field CT in memory, and second scans of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.datasets import open_pairs
from dfsynth.datasets.protocol import indices_in
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.evaluate.streaks import SliceTruth
from dfsynth.evaluate.streaks.streak_power import measure_streaks
from dfsynth.files.durable import make_folder, replacing
from dfsynth.options.simulate_tasks import CT_TASK
from dfsynth.records import Float32Map
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings, VibrationMode
from dfsynth.simulation.dark_field_ct.scanning import scan
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.streams import Streams
from dfsynth.store import StoreLayout
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.tasks import task_named

SECOND: Final = "second_rotation"
"""One more rotation of the same slice, with vibration and noise of its own."""
_STORED: Final = ("single_rotation", "multi_rotation", "truth", "attenuation")
_WHOLE_WINDOW: Final = (0.0, 1.0)
_SCAN: Final = "scan "
"""Begins the names of the scanner's settings in the record of a store."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceSet:
    """The slices of one split of a store."""

    keys: tuple[str, ...]
    patients: tuple[str, ...]
    maps: Mapping[str, Float32Map]
    """By name, each (n, y, x) in 1/m."""
    lung: NDArray[np.uint8]
    """(n, y, x), 1 in lung."""
    air: NDArray[np.uint8]
    """(n, y, x), 1 in air outside the body."""
    pixel_mm: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def side(self) -> int:
        """Pixels along a side of the square slices."""
        return self.lung.shape[-1]

    def known(self, index: int) -> SliceTruth:
        """What is known of one slice, and where to measure."""
        truth = self.maps["truth"][index]
        return SliceTruth.find(truth, self.lung[index], self.air[index], self.pixel_mm[index])

    def all_known(self) -> tuple[SliceTruth, ...]:
        """What is known of every slice."""
        return tuple(self.known(index) for index in range(len(self)))

    def channels(self, names: tuple[str, ...], index: int) -> Float32Map:
        """Maps of one slice as a network sees them, (channels, y, x)."""
        return np.stack([self.maps[name][index] * _SCALES.get(name, 1.0) for name in names])


_SCALES: Final = {"attenuation": np.float32(0.1)}
"""Brings soft tissue, 20 1/m, near the dark-field coefficient of lung."""


def open_slices(store: Path) -> StorePairs:
    """The pairs of a store at the size they have.

    Raises:
        SystemExit: the store is of another kind, or its slices are no squares.
        UsageError: there is no store, or it is for another task.
    """
    task = task_named(CT_TASK)
    source = open_pairs(store, None, 16, _WHOLE_WINDOW, task.input.convention, task)
    if not isinstance(source, StorePairs):
        raise _wrong_store(store)
    height, width = source.arrays.specs[0].height, source.arrays.specs[0].width
    if height != width:
        raise SystemExit(f"the slices of {store} are {height} × {width}; expected squares")
    return source


def load_slices(source: StorePairs, split: str) -> SliceSet:
    """All slices of a split of an opened store.

    Raises:
        SystemExit: the split is empty.
    """
    indices = indices_in(source, split)
    if not indices:
        raise SystemExit(f"{source.description}: no slice for {split}; simulate more slices")
    numbers = [int(source.manifest["row"][i].as_py()) for i in indices]

    def read(name: str) -> NDArray[np.generic]:
        return np.stack([source.arrays.read(name, number) for number in numbers])

    return SliceSet(
        keys=tuple(source.rows[i].key for i in indices),
        patients=tuple(source.rows[i].patient_id for i in indices),
        maps={name: read(name).astype(np.float32) for name in _STORED},
        lung=read("lung_mask").astype(np.uint8),
        air=read("air_mask").astype(np.uint8),
        pixel_mm=tuple(float(source.manifest["pixel_mm"][i].as_py()) for i in indices),
    )


def streak_directions(slices: SliceSet) -> Float32Map:
    """How the errors of one rotation prefer directions, (n, 36), of mean 1 in each slice.

    The errors are those that training knows: one rotation less all. Directions are those of
    `StreakPower.angles_deg`.
    """
    found = []
    for index in range(len(slices)):
        residual = slices.maps["single_rotation"][index] - slices.maps["multi_rotation"][index]
        shares = measure_streaks(residual, slices.known(index).field_of_view).by_angle.clip(0)
        found.append(shares / shares.mean())
    return np.stack(found).astype(np.float32)


def one_rotation_of(store: Path) -> ScanSettings:
    """The scanner that a store's slices were simulated with, for one rotation.

    Raises:
        SystemExit: the store is of another kind.
    """
    record = read_record(StoreLayout(store).build)
    if not isinstance(record, PairsRecord):
        raise _wrong_store(store)
    held: dict[str, Any] = {
        name.removeprefix(_SCAN): value
        for name, value in record.fingerprint.settings.items()
        if name.startswith(_SCAN)
    }
    modes = tuple(VibrationMode(**mode) for mode in held["modes"])
    return ScanSettings(**(held | {"modes": modes, "rotations": 1}))


def _wrong_store(store: Path) -> SystemExit:
    return SystemExit(f"{store} is no store of dfsynth simulate --task {CT_TASK}; make one first")


def second_rotations(slices: SliceSet, settings: ScanSettings, folder: Path) -> Float32Map:
    """One more rotation of every slice, (n, y, x) in 1/m; kept in `folder`, so that it goes on.

    Of the object, the dark-field coefficient is its truth. Its attenuation, which decides how many
    photons there are and nothing else, is that of the reconstruction, no lower than 0.
    """
    make_folder(folder)
    maps = []
    for index, key in enumerate(slices.keys):
        kept = folder / f"{key}.npy"
        if not kept.exists():
            with replacing(kept, folder, "second") as stream:
                np.save(stream, _scan_again(slices, settings, index))
        maps.append(np.load(kept))
    return np.stack(maps)


def _scan_again(slices: SliceSet, settings: ScanSettings, index: int) -> Float32Map:
    again = SliceObject(
        mu_per_m=slices.maps["attenuation"][index].clip(0),
        dark_field_per_m=slices.maps["truth"][index],
        lung_mask=slices.lung[index],
        air_mask=slices.air[index],
        pixel_mm=slices.pixel_mm[index],
        parameters={},
    )
    draws = Streams(index)("second scan")
    return scan(again, settings, draws, torch.device("cpu")).single_rotation
