"""Which CT volumes a folder holds, by names and DICOM headers alone."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.simulate.ct.slices import SliceHeader, read_slice_header
from dfsynth.simulate.ct.volume import CtCandidate, CtFormat
from dfsynth.simulate.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

_FORMATS = {
    ".nii": CtFormat.NIFTI,
    ".nii.gz": CtFormat.NIFTI,
    ".nrrd": CtFormat.NRRD,
    ".nhdr": CtFormat.NRRD,
    ".mha": CtFormat.META_IMAGE,
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
            candidates.append(
                CtCandidate(key, volume_format, (path,), licenses.get(key, UNKNOWN_LICENSE))
            )
        elif _may_be_dicom(path):
            header = read_slice_header(path)
            if isinstance(header, str):
                excluded.append((key, header))
            else:
                slices[path.parent.relative_to(root).as_posix()].append((path, header))
        elif path != root / LICENSES:
            excluded.append((key, "no CT volume by its name"))
    for folder, found in slices.items():
        candidates += _list_series(folder, found, licenses)
    if not candidates:
        raise UsageError(
            f"no CT volume below {root}; expected NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), "
            "MetaImage (.mha) or folders of DICOM slices"
        )
    return CtListing(tuple(sorted(candidates, key=lambda c: c.key.encode())), tuple(excluded))


def _volume_format(name: str) -> CtFormat | None:
    return next((f for suffix, f in _FORMATS.items() if name.lower().endswith(suffix)), None)


def _may_be_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_SUFFIXES - {""}:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _list_series(
    folder: str, found: list[tuple[Path, SliceHeader]], licenses: dict[str, str]
) -> list[CtCandidate]:
    """One candidate for each series of a folder."""
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
        candidates.append(CtCandidate(key, CtFormat.DICOM, files, license_))
    return candidates
