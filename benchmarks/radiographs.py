"""Real radiographs and simulated pairs, read into one grid by one path, whoever made them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import zarr
from numpy.typing import NDArray

import dfsynth
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow

_GREY_LEVELS = np.float32(255)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image of one patient or phantom."""

    name: str
    patient_id: str
    source: str
    """The archive of a real radiograph, the origin of a simulated one."""
    pixels: Float32Map
    """(y, x), dense is bright, in the units of its file."""
    labels: NDArray[np.uint8] | None = None
    """(y, x) of `pixels`: 0 none, 1 lung as outlined, 2 lung that outlines leave out; or None."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images in one grid, row by row."""

    names: NDArray[np.str_]
    patients: NDArray[np.str_]
    sources: NDArray[np.str_]
    images: NDArray[np.uint8]
    """(image, y, x)."""

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: NDArray[np.intp]) -> "ImageSet":
        return ImageSet(
            self.names[rows], self.patients[rows], self.sources[rows], self.images[rows]
        )


def read_radiographs(folder: Path, masked: bool = False) -> list[LabelledImage]:
    """All real radiographs of `folder/labels.csv`; with `masked`, those that have a lung mask.

    The mask's path stands in the column `mask` or `lung_mask`.
    """
    with (folder / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = []
    for row in rows:
        mask = row.get("mask") or row.get("lung_mask")
        if masked and not mask:
            continue
        name = Path(row["file"]).stem
        labels = (read_grey(folder / mask) > 127).astype(np.uint8) if mask else None
        pixels = read_grey(folder / row["file"]).astype(np.float32)
        found.append(LabelledImage(name, row["patient_id"], name.partition("_")[0], pixels, labels))
    return found


def read_pairs(
    path: Path, array: str = "attenuation", limit: int | None = None
) -> list[LabelledImage]:
    """The images of a paired store: `attenuation` as shown, or `transmission` as -log."""
    store = dfsynth.open_store(path)
    group = zarr.open_group(path, mode="r")
    columns = store.manifest.select(["row", "patient_id", "origin", "status"]).to_pylist()
    kept = [c for c in columns if c["status"] == "ok"][:limit]
    found = []
    for column in kept:
        row = column["row"]
        pixels = np.asarray(group[array][row], np.float32)
        if array == "transmission":
            pixels = -np.log(np.maximum(pixels, np.float32(1e-4)))
        labels = np.asarray(group["lung_mask"][row], np.uint8)
        name = f"{column['origin']}-{row}"
        found.append(LabelledImage(name, column["patient_id"], column["origin"], pixels, labels))
    return found


def to_square(pixels: NDArray[np.generic], side: int) -> Float32Map:
    """The central square of an image (y, x), area-averaged to (side, side) float32.

    Square already in the archives that stretch; no padding, which would give a source away.
    """
    height, width = pixels.shape
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = pixels[top : top + edge, left : left + edge].astype(np.float32)
    how = cv2.INTER_AREA if edge >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (side, side), interpolation=how), np.float32)


def to_eight_bits(pixels: Float32Map) -> NDArray[np.uint8]:
    """The window that generators use (percentiles 0.5 and 99.5), then 256 grey levels."""
    unit = to_unit_range(pixels, IntensityWindow())
    return np.round(unit * _GREY_LEVELS).astype(np.uint8)


def collect(entries: Sequence[LabelledImage], side: int, blur_px: float = 0.0) -> ImageSet:
    """All images by the one path; `blur_px` is the sigma of a Gaussian in the grid."""
    images = []
    for entry in entries:
        square = to_square(entry.pixels, side)
        if blur_px:
            square = np.asarray(cv2.GaussianBlur(square, (0, 0), blur_px), np.float32)
        images.append(to_eight_bits(square))
    return ImageSet(
        np.array([d.name for d in entries]),
        np.array([d.patient_id for d in entries]),
        np.array([d.source for d in entries]),
        np.stack(images),
    )


def choose(image_set: ImageSet, number: int, rng: np.random.Generator) -> ImageSet:
    """At most `number` images, as evenly over the sources as they have them."""
    pools = [rng.permutation(np.flatnonzero(image_set.sources == s)) for s in _names(image_set)]
    taken: list[int] = []
    for n in range(max(map(len, pools))):
        taken += [int(pool[n]) for pool in pools if n < len(pool)]
    return image_set.take(np.sort(np.array(taken[:number])))


def _names(image_set: ImageSet) -> list[str]:
    return sorted(set(image_set.sources.tolist()))


def read_grey(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(f"no readable image at {path}")
    return np.asarray(pixels, np.uint8)
