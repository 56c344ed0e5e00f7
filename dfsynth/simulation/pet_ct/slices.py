"""The origin `volume` of PET and CT: the slices of a folder's sessions, measured or simulated."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from dfsynth.errors import ErrorCode
from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.options.simulate_tasks import PET_CT
from dfsynth.records import MadePair, PairFacts, PairItem, Parameter
from dfsynth.simulation.input_files import fingerprint_files
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.pet_ct.sessions import LABELS, Session, list_sessions
from dfsynth.simulation.pet_ct.uncorrected import simulate_pet
from dfsynth.simulation.pet_ct.usable_slices import find_usable_slices
from dfsynth.simulation.pet_ct.volume import PetCtVolume, read_session
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes import VolumeCandidate, VolumeLimits, refusal
from dfsynth.simulation.volumes.library import VolumeLibrary
from dfsynth.simulation.volumes.listing import VolumeListing
from dfsynth.simulation.volumes.modality import CT_OF_SESSION
from dfsynth.simulation.volumes.slice_listing import SliceListing
from dfsynth.simulation.volumes.slice_order import VolumeSlices, order_slices, parse_slice_name

_VOLUMES_KEPT: Final = 8
"""In memory, some 60 MB each of a chest."""


class PetCtSlices:
    """Implements `PairOrigin`; its subjects are slices, in the order of a plan."""

    def __init__(self, root: Path, size: int, pet: str) -> None:
        """Slices of the sessions below `root`, in squares of `size` pixels; reads nothing yet.

        `pet` is one of `dfsynth.options.PETS`.
        """
        self._root = root
        self._size = size
        self._pet = pet
        self._parameters = null_parameters(pair_schema(PET_CT))
        self._volumes = VolumeLibrary(
            root, CT_OF_SESSION, self._read, listing=self._list, kept=_VOLUMES_KEPT
        )
        self._slices = SliceListing(self._find)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`; reads every session, which takes some seconds each.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return self._slices.subjects(count)

    def count(self) -> int:
        """How many slices can be used; reads every session, once.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return self._slices.count()

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        files = [file for session in list_sessions(self._root).sessions for file in session.files]
        table = self._root / LABELS
        names = [file.relative_to(self._root).as_posix() for file in files]
        return fingerprint_files(self._root, [*names, LABELS] if table.exists() else names)

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        key, index = parse_slice_name(str(item.source))
        volume = self._volumes.get(key)
        hu = volume.hu_at(index)
        drawn: dict[str, Parameter] = {}
        if volume.pet is None:
            streams = Streams(item.seed)
            found = simulate_pet(hu, volume.body_at(index), volume.pixel_mm, streams)
            suv, kind, drawn = found.suv, "simulated", found.drawn
        else:
            suv = volume.suv_at(index)
            kind = f"measured, {'' if volume.pet.corrected else 'un'}corrected"
        named: dict[str, Parameter] = {
            "volume": key,
            "slice": index,
            "slice_mm": volume.plane_mm,
            "pet_kind": kind,
            "overlap": None if volume.pet is None else volume.pet.overlap,
            **drawn,
        }
        arrays: dict[str, NDArray[Any]] = {"pet": suv, "ct": hu}
        facts = PairFacts(
            source_sha256=volume.sha256,
            pixel_mm=volume.pixel_mm,
            parameters=self._parameters | named,
            truth="simulated" if volume.pet is None else "measured",
        )
        return MadePair(arrays, facts)

    def _sessions(self) -> dict[str, Session]:
        return {session.ct.key: session for session in list_sessions(self._root).sessions}

    def _list(self) -> VolumeListing:
        found = list_sessions(self._root)
        return VolumeListing(tuple(session.ct for session in found.sessions), found.excluded)

    def _read(self, candidate: VolumeCandidate) -> PetCtVolume:
        session = self._sessions()[candidate.key]
        if self._pet == "measured" and session.pet is None:
            raise refusal(
                ErrorCode.MISSING, candidate.key, "there is no PET of it; --pet any simulates one"
            )
        wanted = self._pet != "simulated"
        return read_session(session, self._size, VolumeLimits(), measured=wanted)

    def _find(self) -> SubjectListing:
        volumes: list[VolumeSlices] = []
        excluded: Counter[str] = Counter()

        def look(candidate: VolumeCandidate, volume: PetCtVolume) -> None:
            slices = find_usable_slices(volume)
            volumes.append(VolumeSlices(candidate, slices.indices))
            excluded.update(slices.excluded)

        found = self._volumes.find_usable(look)
        return SubjectListing(order_slices(volumes), {**found.excluded, **excluded}, found.warnings)
