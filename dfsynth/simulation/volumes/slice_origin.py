"""The origin `volume`: the slices of a folder's volumes, and what is made of each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from numpy.typing import NDArray

from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.records import MadePair, PairFacts, PairItem, Parameter, Truth
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes.candidate import VolumeCandidate
from dfsynth.simulation.volumes.library import VolumeLibrary
from dfsynth.simulation.volumes.slice_order import VolumeSlices, order_slices, parse_slice_name
from dfsynth.simulation.volumes.usable_slices import UsableSlices


class SlicedVolume(Protocol):
    """What the manifest says of every volume."""

    @property
    def pixel_mm(self) -> float:
        """Pitch of the pixels of its slices."""

    @property
    def plane_mm(self) -> float:
        """Between its slices."""

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal."""


_Volume = TypeVar("_Volume", bound=SlicedVolume)


@dataclass(frozen=True, slots=True, eq=False)
class ImagedSlice:
    """What is made of a slice."""

    arrays: dict[str, NDArray[Any]]
    """(y, x) each, named as the task has them."""
    drawn: dict[str, Parameter]
    """What else the manifest says of it, by the names of the task's parameters."""
    truth: Truth = "simulated"


SliceImaging = Callable[[_Volume, int, Streams], ImagedSlice]
"""Images a slice, by its number; depends on the volume's values and the streams alone."""


class SliceOrigin(Generic[_Volume]):
    """Implements `PairOrigin` for one task; its subjects are slices, in the order of a plan."""

    def __init__(
        self,
        task: str,
        volumes: VolumeLibrary[_Volume],
        find_usable: Callable[[_Volume], UsableSlices],
        image: SliceImaging[_Volume],
    ) -> None:
        """Slices of `volumes`; reads nothing yet."""
        self._parameters = null_parameters(pair_schema(task))
        self._volumes = volumes
        self._find_usable = find_usable
        self._image = image
        self._lock = Lock()
        self._found: SubjectListing | None = None

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`; where more are asked for than there are slices, they come again.

        Reads every volume, which takes from half a second to some seconds each.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        found = self._all()
        rounds = -(-count // len(found.lines)) if found.lines else 0
        return SubjectListing((list(found.lines) * rounds)[:count], found.excluded, found.warnings)

    def count(self) -> int:
        """How many slices can be used; reads every volume, once.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return len(self._all().lines)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._volumes.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        key, index = parse_slice_name(str(item.source))
        volume = self._volumes.get(key)
        found = self._image(volume, index, Streams(item.seed))
        named = {"volume": key, "slice": index, "slice_mm": volume.plane_mm, **found.drawn}
        facts = PairFacts(
            source_sha256=volume.sha256,
            pixel_mm=volume.pixel_mm,
            parameters=self._parameters | named,
            truth=found.truth,
        )
        return MadePair(found.arrays, facts)

    def _all(self) -> SubjectListing:
        with self._lock:
            if self._found is None:
                self._found = self._find()
            return self._found

    def _find(self) -> SubjectListing:
        volumes: list[VolumeSlices] = []
        excluded: Counter[str] = Counter()

        def look(candidate: VolumeCandidate, volume: _Volume) -> None:
            slices = self._find_usable(volume)
            volumes.append(VolumeSlices(candidate, slices.indices))
            excluded.update(slices.excluded)

        found = self._volumes.find_usable(look)
        return SubjectListing(order_slices(volumes), {**found.excluded, **excluded}, found.warnings)
