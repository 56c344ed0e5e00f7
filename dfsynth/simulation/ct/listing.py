"""Which CT volumes a folder holds, by names and DICOM headers alone."""

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.simulation.ct.detached import find_data_name, names_a_neighbour
from dfsynth.simulation.ct.slices import SliceHeader, read_slice_header
from dfsynth.simulation.ct.volume import CtCandidate, CtFormat
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

_FORMATS = {
    ".nii": CtFormat.NIFTI,
    ".nii.gz": CtFormat.NIFTI,
    ".nrrd": CtFormat.NRRD,
    ".nhdr": CtFormat.NRRD,
    ".mha": CtFormat.META_IMAGE,
    ".mhd": CtFormat.META_IMAGE,
}
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima", ""})


@dataclass(frozen=True, slots=True)
class CtListing:
    """What was found below a root."""

    candidates: tuple[CtCandidate, ...]
    """By key, in the order of its bytes."""
    excluded: tuple[tuple[str, str], ...]
    """(path below the root, why) of files that hold no volume."""


def list_volumes(root: Path) -> CtListing:
    """The volumes below `root`: one for each NIfTI, NRRD or MetaImage file and DICOM series.

    Each is a patient of its own, but for DICOM series that name the same patient.

    Raises:
        UsageError: `root` is no folder, holds no volume, or its `licenses.csv` cannot be read.
    """
    if not root.is_dir():
        raise UsageError(f"no folder of CT volumes at {root}; give --ct a folder that exists")
    licenses = read_licenses(root / LICENSES)
    candidates: list[CtCandidate] = []
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
            candidates.append(CtCandidate(key, volume_format, files, license_, key))
        elif _may_be_dicom(path):
            header = read_slice_header(path)
            if isinstance(header, str):
                excluded.append((key, header))
            else:
                slices[path.parent.relative_to(root).as_posix()].append((path, header))
        elif path != root / LICENSES:
            excluded.append((key, "no CT volume by its name"))
    series = [s for folder, found in slices.items() for s in _list_series(folder, found, licenses)]
    candidates = sorted([*candidates, *_name_patients(series)], key=_by_key)
    used = {file for candidate in candidates for file in candidate.files}
    if not candidates:
        raise UsageError(
            f"no CT volume below {root}; expected NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), "
            "MetaImage (.mha, .mhd) or folders of DICOM slices"
        )
    left = ((key, why) for key, why in excluded if root / key not in used)
    return CtListing(tuple(candidates), tuple(left))


def _by_key(candidate: CtCandidate) -> bytes:
    return candidate.key.encode()


def _files_of(path: Path, volume_format: CtFormat) -> tuple[Path, ...]:
    """A volume's file, and that of its voxels where they lie apart as they may."""
    name = None if volume_format is CtFormat.NIFTI else find_data_name(path)
    if name is None or not names_a_neighbour(name) or not (path.parent / name).is_file():
        return (path,)
    return path, path.parent / name


def _name_patients(series: list[tuple[CtCandidate, str | None]]) -> list[CtCandidate]:
    """Volumes with equal digests of a patient get that one's first key."""
    ordered = sorted(series, key=lambda s: _by_key(s[0]))
    first: dict[str, str] = {}
    return [
        candidate
        if digest is None
        else replace(candidate, patient=first.setdefault(digest, candidate.key))
        for candidate, digest in ordered
    ]


def _volume_format(name: str) -> CtFormat | None:
    return next((f for suffix, f in _FORMATS.items() if name.lower().endswith(suffix)), None)


def _may_be_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_SUFFIXES - {""}:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _list_series(
    folder: str, found: list[tuple[Path, SliceHeader]], licenses: dict[str, str]
) -> list[tuple[CtCandidate, str | None]]:
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
        candidate = CtCandidate(key, CtFormat.DICOM, files, license_, patient=key)
        candidates.append((candidate, members[0][1].patient))
    return candidates
