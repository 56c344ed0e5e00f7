"""Radiographs of the training data: who took them, what may be done with them, how they are read.

DIR holds `cxr/` and `cxr-masks/`, each with a `labels.csv` (file, patient_id, license and a column
with the path of the drawn lung mask, or nothing). What has no licence that a recipe names as free
is never trained on.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from dfsynth.preprocess import prepare
from dfsynth.records import DecodedImage, Float32Map, IntensityWindow

Metrics: TypeAlias = dict[str, Any]
"""Figures by name, or by group and name, as metrics.json holds them."""
Recipe: TypeAlias = dict[str, Any]
"""A recipe of these scripts, as its TOML file reads."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a labels table."""

    path: Path
    patient_id: str
    mask: Path | None
    source: str
    license: str


def list_radiographs(data: Path) -> list[Listed]:
    """Both labels tables under `data`, in order."""
    found = []
    for folder, mask_column in (("cxr", "lung_mask"), ("cxr-masks", "mask")):
        with (data / folder / "labels.csv").open(newline="") as table:
            for line in csv.DictReader(table):
                mask = data / folder / line[mask_column] if line[mask_column] else None
                path = data / folder / line["file"]
                found.append(
                    Listed(path, line["patient_id"], mask, line["source"], line["license"])
                )
    return found


def is_free_to_use(licence: str, recipe: Recipe) -> bool:
    """Whether the recipe names this licence: what is not known to be free is not trained on."""
    return licence in recipe["free_licences"]


def share_of(patient_id: str, recipe: Recipe) -> str:
    """train, validation, calibration or test: the same for all radiographs of a patient."""
    digest = hashlib.blake2b(f"{recipe['seed']}:{patient_id}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / 2**64
    for name in ("test", "calibration", "validation"):
        drawn -= recipe["split"][name]
        if drawn < 0:
            return name
    return "train"


def load_grey(path: Path, grid: int) -> tuple[Float32Map, tuple[slice, slice]]:
    """A radiograph as a checkpoint sees it, (grid, grid) in [0, 1], and where its content lies."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(path)
    decoded = DecodedImage(pixels.astype(np.uint8, copy=False), 0.0, 255.0, 8, "MONOCHROME2", None)
    ready = prepare(decoded, (grid, grid), IntensityWindow())
    return ready.image, ready.geometry.content


def load_mask(entry: Listed, grid: int) -> Float32Map:
    """The drawn mask of a radiograph that has one, in the same grid, 0 or 1."""
    if entry.mask is None:
        raise ValueError(f"{entry.path}: its line of labels.csv names no drawn mask")
    image, _ = load_grey(entry.mask, grid)
    return (image > 0.5).astype(np.float32)
