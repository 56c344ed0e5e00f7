"""The origin `volume` of MR: the slices of a folder's volumes, and what is made of each."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.records import MadePair, PairFacts, PairItem, Parameter, Subject
from dfsynth.simulation.mri.usable_slices import find_usable_slices
from dfsynth.simulation.mri.volume import MrVolume, read_mr_volume
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes import MR, VolumeCandidate, VolumeLimits
from dfsynth.simulation.volumes.labels import LABELS
from dfsynth.simulation.volumes.library import VolumeLibrary
from dfsynth.simulation.volumes.slice_listing import SliceListing
from dfsynth.simulation.volumes.slice_order import VolumeSlices, order_slices, parse_slice_name

_VOLUMES_KEPT: Final = 8
"""In memory, some 15 MB each of a head."""


@dataclass(frozen=True, slots=True, eq=False)
class ImagedSlice:
    """What one way of imaging gives for a slice."""

    arrays: dict[str, NDArray[Any]]
    """(y, x) each, named as the task has them."""
    drawn: dict[str, Parameter]
    """What was drawn for it, by the names of the task's parameters."""


class SliceImaging(Protocol):
    """One way of imaging a slice of a volume."""

    def __call__(self, volume: MrVolume, index: int, streams: Streams) -> ImagedSlice:
        """Images slice `index`; it depends on the volume's values and the streams alone."""


class MrSlices:
    """Implements `PairOrigin` for one task; its subjects are slices, in the order of a plan."""

    def __init__(self, task: str, root: Path, size: int, imaging: SliceImaging) -> None:
        """Slices of the volumes below `root`, in squares of `size` pixels; reads nothing yet."""
        self._parameters = null_parameters(pair_schema(task))
        self._imaging = imaging
        build = partial(_read, size=size)
        self._volumes = VolumeLibrary(root, MR, build, labels=LABELS, kept=_VOLUMES_KEPT)
        self._slices = SliceListing(self._find)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`; where more are asked for than there are slices, they come again.

        Reads every volume, which takes some 0.5 s each.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return self._slices.subjects(count)

    def count(self) -> int:
        """How many slices can be used; reads every volume, once.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return self._slices.count()

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._volumes.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        key, index = parse_slice_name(str(item.source))
        volume = self._volumes.get(key)
        found = self._imaging(volume, index, Streams(item.seed))
        named: dict[str, Parameter] = {
            "volume": key,
            "slice": index,
            "slice_mm": volume.plane_mm,
            "white": volume.white,
            **found.drawn,
        }
        facts = PairFacts(
            source_sha256=volume.sha256,
            pixel_mm=volume.pixel_mm,
            parameters=self._parameters | named,
        )
        return MadePair(found.arrays, facts)

    def _find(self) -> SubjectListing:
        volumes: list[VolumeSlices] = []
        excluded: Counter[str] = Counter()

        def look(candidate: VolumeCandidate, volume: MrVolume) -> None:
            slices = find_usable_slices(volume)
            volumes.append(VolumeSlices(candidate, slices.indices))
            excluded.update(constant_slice=slices.constant, empty_slice=slices.nearly_empty)

        found = self._volumes.find_usable(look)
        lines: list[Subject] = order_slices(volumes)
        left_out = {reason: n for reason, n in excluded.items() if n}
        return SubjectListing(lines, {**found.excluded, **left_out}, found.warnings)


def _read(candidate: VolumeCandidate, size: int) -> MrVolume:
    return read_mr_volume(candidate, size, VolumeLimits())
