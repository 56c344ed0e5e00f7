"""Two collections of images that are no pairs: good radiographs, and images of another domain.

The images of a row have nothing to do with each other, and the collections need not have as many
images or patients. Every image is cut to its largest centred square: bars of padding would tell the
collections apart before anything else did.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from dfsynth.counted_nouns import counted
from dfsynth.datasets.file_pairs import ImageFile, add_sample, describe_rows
from dfsynth.datasets.groups import Member, group_patients
from dfsynth.datasets.image_files import decode_pair_image
from dfsynth.datasets.listing import list_images, list_table_of_images
from dfsynth.datasets.protocol import PairImages, PairInfo
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.decode import DecodeLimits
from dfsynth.errors import ImageError, UsageError
from dfsynth.preprocess import letterbox, prepare, to_grid, to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.source.metadata import is_table
from dfsynth.source.reading import read_below
from dfsynth.splits import SPLITS
from dfsynth.store import StoreLayout, format_of
from dfsynth.tasks import Task

_KINDS: Final = (
    "expected a folder of images, a .csv or .parquet table with a column of paths, or a store that "
    "dfsynth simulate has made"
)
_USER: Final = "images of the user"


class ImageCollection(Protocol):
    """Images of known patients."""

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        """All of them, each patient in one group."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that a user should see before training."""

    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal images, patients and splits, wherever they lie."""

    def read(self, index: int) -> Float32Map:
        """The image of `rows[index]`, (grid, grid) in [0, 1].

        Raises:
            UsageError: a file that gives no usable image; the message names it.
            StoreError: a damaged store.
        """


@dataclass(frozen=True, slots=True)
class UnpairedImages:
    """Implements `PairSource`: `image` is of the good radiographs, `target` of the other domain.

    Within each group of patients the smaller collection begins anew until the larger is through.
    """

    rows: tuple[PairInfo, ...]
    description: str
    warnings: tuple[str, ...]
    good: ImageCollection
    poor: ImageCollection
    members: tuple[tuple[int, int], ...]
    """Of each row: which images of both collections."""

    @property
    def knows_lungs(self) -> bool:
        """See `PairSource`."""
        return False

    def fingerprint(self) -> str:
        """See `PairSource`; of both collections."""
        both = f"{self.good.fingerprint()} {self.poor.fingerprint()}"
        return hashlib.blake2b(both.encode(), digest_size=16).hexdigest()

    def read(self, index: int) -> PairImages:
        """See `PairSource`; nothing of the target is noise that may not be averaged."""
        good, poor = self.members[index]
        target = self.poor.read(poor)
        return PairImages(self.good.read(good), target, clean=target)


def open_unpaired(data: Path, targets: Path | None, grid: int, task: Task) -> UnpairedImages:
    """Opens two collections, each patient in one of four groups; no image is read yet.

    Args:
        data: Good radiographs: a folder, a table with a column of paths, or a store of pairs for
            the task, of which the targets are taken.
        targets: Images of the other domain, of the same kinds; of a store, the inputs are taken.
        grid: Side of the square grid in pixels.
        task: What the partners shall be inputs of.

    Raises:
        UsageError: nothing of this kind, an image in both, a collection of too few patients, or
            values in a unit.
        StoreError: a damaged store.
    """
    if targets is None:
        raise UsageError(
            "this recipe is trained on two unpaired collections: expected --data with good "
            "radiographs and --targets with images of the domain that they shall be degraded to"
        )
    intensity = task.input.convention
    if not isinstance(intensity, IntensityWindow):
        raise UsageError(
            f"unpaired recipes degrade grey values, but inputs of {task.name} are values in "
            f"{intensity.unit}; expected a task such as restoration"
        )
    good = _open(data, task.pairs.target, grid, task, intensity)
    if data.resolve() == targets.resolve() and isinstance(good, _FileImages):
        raise UsageError(f"--data and --targets are both {data}; expected two collections")
    poor = _open(targets, task.input.array, grid, task, intensity)
    _require_apart(good, poor)
    named = ((f"--data {data}", good), (f"--targets {targets}", poor))
    for name, collection in named:
        _require_groups(name, collection)
    rows, members = [], []
    for split in SPLITS:
        for first, second in _beside(_in_split(good, split), _in_split(poor, split)):
            rows.append(_row(good.rows[first], poor.rows[second]))
            members.append((first, second))
    both = f"unpaired images of {data.name} ({len(good.rows)}) and {targets.name}"
    return UnpairedImages(
        rows=tuple(rows),
        description=describe_rows(f"{both} ({len(poor.rows)})", rows),
        warnings=tuple(f"{name}: {line}" for name, each in named for line in each.warnings),
        good=good,
        poor=poor,
        members=tuple(members),
    )


@dataclass(frozen=True, slots=True)
class _FileImages:
    """Implements `ImageCollection` for image files."""

    rows: tuple[PairInfo, ...]
    warnings: tuple[str, ...]
    files: tuple[ImageFile, ...]
    grid: int
    intensity: IntensityWindow

    def fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for row, file in zip(self.rows, self.files, strict=True):
            digest.update(repr((row.key, row.patient_id, row.split)).encode())
            add_sample(digest, file.path)
        return digest.hexdigest()

    def read(self, index: int) -> Float32Map:
        path, limits = self.files[index].path, DecodeLimits()
        try:
            decoded = decode_pair_image(
                read_below(path.parent, path.name, limits.max_bytes), limits
            )
        except ImageError as error:
            raise UsageError(f"image {path.name}: {error}") from error
        square = replace(decoded, pixels=decoded.pixels[_central_square(decoded.pixels.shape)])
        found = prepare(square, (self.grid, self.grid), self.intensity).image
        return _with_contrast(found, path.name)


@dataclass(frozen=True, slots=True)
class _StoreImages:
    """Implements `ImageCollection` for one array of a store of pairs."""

    pairs: StorePairs
    array: str
    grid: int
    intensity: IntensityWindow

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        return self.pairs.rows

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.pairs.warnings

    def fingerprint(self) -> str:
        return f"{self.array} {self.pairs.fingerprint()}"

    def read(self, index: int) -> Float32Map:
        stored = self.pairs.array(self.array, index)
        pixels = np.ascontiguousarray(stored[_central_square(stored.shape)])
        geometry = letterbox(pixels.shape, (self.grid, self.grid))
        found = to_unit_range(to_grid(pixels, geometry), self.intensity)
        return _with_contrast(found, self.rows[index].key)


def _open(
    path: Path, array: str, grid: int, task: Task, intensity: IntensityWindow
) -> ImageCollection:
    if not path.exists():
        raise UsageError(f"there is no {path}; {_KINDS}; check the path")
    layout = StoreLayout(path)
    if layout.build.exists() or format_of(layout).has_group(layout):
        return _StoreImages(
            StorePairs.open(path, grid, intensity, task.name), array, grid, intensity
        )
    remarks: tuple[str, ...] = ()
    if path.is_dir():
        listed, remarks = list_images(path)
        files = [ImageFile(key, file) for key, file in sorted(listed.items())]
    elif is_table(path.name):
        files = list_table_of_images(path)
    else:
        raise UsageError(f"{path} holds no collection of images; {_KINDS}")
    patients = [file.patient_id or f"file:{file.key}" for file in files]
    groups = group_patients(
        [Member(f.key, patient, f.split) for f, patient in zip(files, patients, strict=True)],
        binding=True,
    )
    rows = tuple(
        PairInfo(file.key, patient, groups.split[patient])
        for file, patient in zip(files, patients, strict=True)
    )
    warnings = (*remarks, *groups.warnings)
    return _FileImages(rows, warnings, tuple(files), grid, intensity)


def _require_apart(good: ImageCollection, poor: ImageCollection) -> None:
    """Images of both collections would teach a degrader to leave images as they are."""
    if not (isinstance(good, _FileImages) and isinstance(poor, _FileImages)):
        return
    first, second = ({file.path.resolve() for file in each.files} for each in (good, poor))
    if common := sorted(path.name for path in first & second):
        raise UsageError(
            f"{counted(len(common), 'file is', 'files are')} both in --data and in --targets, the "
            f"first of them {common[0]}; expected two collections without a common image, neither "
            "in a folder of the other"
        )


def _require_groups(name: str, collection: ImageCollection) -> None:
    for split in ("train", "val"):
        if not _in_split(collection, split):
            raise UsageError(
                f"{name} has no image in the group {split!r}; training needs images of at least "
                "two patients in each collection, some of them for validation"
            )


def _in_split(collection: ImageCollection, split: str) -> list[int]:
    return [index for index, row in enumerate(collection.rows) if row.split == split]


def _beside(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]]:
    """Each image of the longer list once, beside those of the shorter over and over."""
    if not first or not second:
        return []
    count = max(len(first), len(second))
    return [(first[k % len(first)], second[k % len(second)]) for k in range(count)]


def _row(good: PairInfo, poor: PairInfo) -> PairInfo:
    """A row is of both patients, and under the licences of both images."""
    licenses = dict.fromkeys(row.license or "not stated" for row in (good, poor))
    return PairInfo(
        key=f"{good.key} beside {poor.key}",
        patient_id=f"{good.patient_id} beside {poor.patient_id}",
        split=good.split,
        origin=f"unpaired: {good.origin or _USER} beside {poor.origin or _USER}",
        license=" and ".join(licenses),
    )


def _central_square(shape: tuple[int, ...]) -> tuple[slice, ...]:
    side = min(shape)
    starts = [(length - side) // 2 for length in shape]
    return tuple(slice(start, start + side) for start in starts)


def _with_contrast(image: Float32Map, name: str) -> Float32Map:
    if not image.any():
        raise UsageError(f"image {name} has no contrast in its central square; leave it out")
    return image
