"""The origin `volume` of PET and CT: the slices of a folder's sessions, measured or simulated."""

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Final

from dfsynth.errors import ErrorCode
from dfsynth.options.simulate_tasks import PET_CT
from dfsynth.simulation.pet_ct.sessions import LABELS, list_sessions
from dfsynth.simulation.pet_ct.uncorrected import simulate_pet
from dfsynth.simulation.pet_ct.usable_slices import find_usable_slices
from dfsynth.simulation.pet_ct.volume import PetCtVolume, read_session
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes import VolumeCandidate, VolumeLimits, VolumeListing, refusal
from dfsynth.simulation.volumes.library import VolumeLibrary
from dfsynth.simulation.volumes.modality import CT_OF_SESSION
from dfsynth.simulation.volumes.slice_origin import ImagedSlice, SliceOrigin

_VOLUMES_KEPT: Final = 8
"""In memory, some 60 MB each of a chest."""


def pet_ct_slices(root: Path, size: int, pet: str) -> SliceOrigin[PetCtVolume]:
    """Slices of the sessions below `root`, in squares of `size` pixels; reads nothing yet.

    `pet` is one of `dfsynth.options.PETS`.
    """
    sessions = _SessionReader(root, size, pet)
    volumes = VolumeLibrary(
        root,
        CT_OF_SESSION,
        sessions.read,
        labels=LABELS,
        kept=_VOLUMES_KEPT,
        listing=sessions.listing,
    )
    return SliceOrigin(PET_CT, volumes, find_usable_slices, image_session)


def image_session(volume: PetCtVolume, index: int, streams: Streams) -> ImagedSlice:
    """Slice `index` of a session: its PET where it was measured, else one that is simulated."""
    hu = volume.hu_at(index)
    if volume.pet is None:
        found = simulate_pet(hu, volume.body_at(index), volume.pixel_mm, streams)
        return ImagedSlice(
            arrays={"pet": found.suv, "ct": hu},
            drawn={"pet_kind": "simulated", "overlap": None, **found.drawn},
        )
    kind = f"measured, {'' if volume.pet.corrected else 'un'}corrected"
    return ImagedSlice(
        arrays={"pet": volume.suv_at(index), "ct": hu},
        drawn={"pet_kind": kind, "overlap": volume.pet.overlap},
        truth="measured",
    )


class _SessionReader:
    """Sessions of one folder as volumes, each by its CT; called by several threads at once."""

    def __init__(self, root: Path, size: int, pet: str) -> None:
        self._size = size
        self._pet = pet
        # Every read asks for it, and it opens every DICOM slice.
        self._sessions = cache(partial(list_sessions, root))

    def listing(self) -> VolumeListing:
        """The sessions, each with all of its files."""
        found = self._sessions()
        candidates = tuple(replace(each.ct, files=each.files) for each in found.sessions)
        return VolumeListing(candidates, found.excluded)

    def read(self, candidate: VolumeCandidate) -> PetCtVolume:
        """The session of a CT.

        Raises:
            ImageError: it cannot be used, or has no PET and should.
        """
        session = next(s for s in self._sessions().sessions if s.ct.key == candidate.key)
        if self._pet == "measured" and session.pet is None:
            raise refusal(
                ErrorCode.MISSING, candidate.key, "there is no PET of it; --pet any simulates one"
            )
        wanted = self._pet != "simulated"
        return read_session(session, self._size, VolumeLimits(), measured=wanted)
