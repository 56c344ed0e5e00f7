"""Which volumes a folder holds, by names and DICOM headers alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.simulation.volumes.candidate import VolumeCandidate, VolumeFormat
from dfsynth.simulation.volumes.detached import find_data_name, names_a_neighbour
from dfsynth.simulation.volumes.labels import read_label_licenses, read_people
from dfsynth.simulation.volumes.modality import CT, Modality
from dfsynth.simulation.volumes.slices import SliceHeader, read_slice_header
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

_FORMATS = {
    ".nii": VolumeFormat.NIFTI,
    ".nii.gz": VolumeFormat.NIFTI,
    ".nrrd": VolumeFormat.NRRD,
    ".nhdr": VolumeFormat.NRRD,
    ".mha": VolumeFormat.META_IMAGE,
    ".mhd": VolumeFormat.META_IMAGE,
}
_NAMED = 5
"""So many names of a table that no volume has are told one by one."""
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima", ""})


@dataclass(frozen=True, slots=True)
class VolumeListing:
    """What was found below a root."""

    candidates: tuple[VolumeCandidate, ...]
    """By key, in the order of its bytes."""
    excluded: tuple[tuple[str, str], ...]
    """(path below the root, why) of files that hold no volume, and of volumes that a table names
    and that are not there."""


def list_volumes(root: Path, modality: Modality = CT, labels: str | None = None) -> VolumeListing:
    """The volumes below `root`: one for each NIfTI, NRRD or MetaImage file and DICOM series.

    DICOM series are those of `modality`; other files do not say theirs. Each volume is a patient
    of its own, but for DICOM series that name the same patient, and volumes that the table `labels`
    at the root says are of one person.

    Raises:
        UsageError: `root` is no folder, holds no volume, or a table of it cannot be read.
    """
    if not root.is_dir():
        raise UsageError(
            f"no folder of {modality.name} volumes at {root}; give {modality.option} a folder that "
            "exists"
        )
    people: dict[str, str] = {}
    licenses = read_licenses(root / LICENSES)
    tables = {root / LICENSES}
    if labels is not None:
        people = read_people(root / labels)
        licenses = read_label_licenses(root / labels) | licenses
        tables.add(root / labels)
    candidates: list[VolumeCandidate] = []
    excluded: list[tuple[str, str]] = []
    slices: dict[str, list[tuple[Path, SliceHeader]]] = defaultdict(list)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        key = path.relative_to(root).as_posix()
        volume_format = _volume_format(path.name)
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            excluded.append((key, "hidden"))
        elif volume_format is not None:
            license_ = licenses.get(key, UNKNOWN_LICENSE)
            files = _files_of(path, volume_format)
            candidates.append(VolumeCandidate(key, volume_format, files, license_, key))
        elif _may_be_dicom(path):
            header = read_slice_header(path, modality)
            if isinstance(header, str):
                excluded.append((key, header))
            else:
                slices[path.parent.relative_to(root).as_posix()].append((path, header))
        elif path not in tables:
            excluded.append((key, f"no {modality.name} volume by its name"))
    series = [s for folder, found in slices.items() for s in _list_series(folder, found, licenses)]
    candidates = sorted([*candidates, *_name_patients(series)], key=_by_key)
    candidates = name_people(candidates, people)
    used = {file for candidate in candidates for file in candidate.files}
    if not candidates:
        raise UsageError(
            f"no {modality.name} volume below {root}; expected NIfTI (.nii, .nii.gz), NRRD "
            "(.nrrd, .nhdr), MetaImage (.mha, .mhd) or folders of DICOM slices"
        )
    left = [(key, why) for key, why in excluded if root / key not in used]
    absent = sorted(people.keys() - {candidate.key for candidate in candidates})
    left += [(key, f"{labels} names it, but there is no such volume") for key in absent[:_NAMED]]
    if len(absent) > _NAMED:
        left.append((f"{len(absent) - _NAMED} more", f"{labels} names them, but there are none"))
    return VolumeListing(tuple(candidates), tuple(left))


def _by_key(candidate: VolumeCandidate) -> bytes:
    return candidate.key.encode()


def _files_of(path: Path, volume_format: VolumeFormat) -> tuple[Path, ...]:
    """A volume's file, and that of its voxels where they lie apart as they may."""
    name = None if volume_format is VolumeFormat.NIFTI else find_data_name(path)
    if name is None or not names_a_neighbour(name) or not (path.parent / name).is_file():
        return (path,)
    return path, path.parent / name


def _name_patients(series: list[tuple[VolumeCandidate, str | None]]) -> list[VolumeCandidate]:
    """Volumes with equal digests of a patient get that one's first key."""
    ordered = sorted(series, key=lambda s: _by_key(s[0]))
    first: dict[str, str] = {}
    return [
        candidate
        if digest is None
        else replace(candidate, patient=first.setdefault(digest, candidate.key))
        for candidate, digest in ordered
    ]


def name_people(
    candidates: Sequence[VolumeCandidate], people: Mapping[str, str]
) -> list[VolumeCandidate]:
    """The same volumes with the patient that `people` says, by key.

    A volume that it leaves out goes with those of its patient that it names.
    """
    known = {c.patient: people[c.key] for c in reversed(candidates) if c.key in people}
    return [
        replace(c, patient=people.get(c.key, known.get(c.patient, c.patient))) for c in candidates
    ]


def _volume_format(name: str) -> VolumeFormat | None:
    return next((f for suffix, f in _FORMATS.items() if name.lower().endswith(suffix)), None)


def _may_be_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_SUFFIXES - {""}:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _list_series(
    folder: str, found: list[tuple[Path, SliceHeader]], licenses: dict[str, str]
) -> list[tuple[VolumeCandidate, str | None]]:
    """One candidate for each series of a folder, and the digest of its patient."""
    series: dict[str, list[tuple[Path, SliceHeader]]] = defaultdict(list)
    for path, header in found:
        series[header.series_uid].append((path, header))
    ordered = sorted(series.values(), key=lambda s: (s[0][1].series_number, s[0][0].name))
    numbers = [s[0][1].series_number for s in ordered]
    candidates = []
    for place, members in enumerate(ordered):
        key = folder
        if len(ordered) > 1:
            number = numbers[place]
            # Two series may bear one number; their order among those tells them apart.
            before = numbers[:place].count(number)
            key = f"{folder}#{number}" + (f".{before + 1}" if before else "")
        license_ = licenses.get(key, licenses.get(folder, UNKNOWN_LICENSE))
        files = tuple(sorted(path for path, _ in members))
        candidate = VolumeCandidate(key, VolumeFormat.DICOM, files, license_, patient=key)
        candidates.append((candidate, members[0][1].patient))
    return candidates
