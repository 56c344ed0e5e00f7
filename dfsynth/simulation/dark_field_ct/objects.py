"""What slices are made of: procedural objects, or the CT volumes of a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from dfsynth.records import PairItem, Subject
from dfsynth.simulation.dark_field_ct.ct_slices import draw_ct_slice, lung_rows
from dfsynth.simulation.dark_field_ct.procedural import draw_procedural_slice
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.origins.origin import Origin, SubjectListing
from dfsynth.simulation.origins.thorax_library import ThoraxLibrary
from dfsynth.simulation.streams import Streams


@dataclass(frozen=True, slots=True)
class ObjectOptions:
    """What decides the values of an object, beside its seed."""

    size: int
    """Pixels along each side, even."""
    severity: tuple[float, float] = (0.0, 1.0)
    """Least and greatest severity of emphysema, 0 to 1."""
    without: frozenset[str] = frozenset()
    """Layers of the lung tissue that are switched off: heterogeneity, emphysema, opacities."""


@dataclass(frozen=True, slots=True)
class DrawnObject:
    """A slice, and what it was made of."""

    slice_object: SliceObject
    source_sha256: str | None
    """Of the volume's file; None for a procedural object."""
    flags: tuple[str, ...] = ()


class ObjectOrigin(Origin, Protocol):
    """Procedural objects or CT volumes; called by several threads at once."""

    def draw(self, item: PairItem) -> DrawnObject:
        """Draws one object; it depends on the item and the options alone.

        Raises:
            ImageError: this one cannot be made.
            DfsynthError: an input that was there is gone; the run ends.
        """


class ProceduralObjects:
    """Implements `ObjectOrigin`: every slice is of a body or a test phantom of its own."""

    def __init__(self, options: ObjectOptions, seed: int, device: torch.device) -> None:
        """Objects of the store with this `seed`, computed on `device`."""
        self._options = options
        self._seed = seed
        self._device = device

    def list_subjects(self, count: int) -> SubjectListing:
        """See `ObjectOrigin`."""
        names = (f"slice-phantom-{self._seed}-{number:07d}" for number in range(count))
        lines = [Subject(name, "phantom", None, "none") for name in names]
        return SubjectListing(lines, {}, (), by_pair_index=True)

    def fingerprint(self) -> str:
        """See `ObjectOrigin`; there are no inputs."""
        return ""

    def draw(self, item: PairItem) -> DrawnObject:
        """See `ObjectOrigin`."""
        held = self._options
        drawn = draw_procedural_slice(
            held.size, Streams(item.seed), self._device, held.severity, held.without
        )
        return DrawnObject(drawn, None)


class CtVolumeObjects:
    """Implements `ObjectOrigin`: slices of CT volumes; all of one volume are of one patient."""

    def __init__(self, options: ObjectOptions, root: Path, device: torch.device) -> None:
        """Volumes below `root`, computed on `device`; reads nothing yet."""
        self._options = options
        self._volumes = ThoraxLibrary(root, device, lung_rows)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `ObjectOrigin`. Reads and segments every volume, which takes some 10 s each."""
        return self._volumes.list_subjects(count)

    def fingerprint(self) -> str:
        """See `ObjectOrigin`."""
        return self._volumes.fingerprint()

    def draw(self, item: PairItem) -> DrawnObject:
        """See `ObjectOrigin`."""
        thorax = self._volumes.thorax(str(item.source))
        held = self._options
        drawn = draw_ct_slice(thorax, held.size, Streams(item.seed), held.severity, held.without)
        flags = ("lungs_cut",) if thorax.lungs_cut else ()
        return DrawnObject(drawn, thorax.sha256, flags)
