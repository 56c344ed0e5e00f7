"""Does `--display restored` keep the geometry? Lung outlines before and after, and any shift.

    dfsynth simulate --out plain.zarr --n 60 --size 128 --seed 5
    dfsynth simulate --out restored.zarr --n 60 --size 128 --seed 5 --display restored
    python benchmarks/restored_geometry.py plain.zarr restored.zarr [--sheet PNG]

The packaged lung network outlines the lungs of both images of a pair. Dice is of the outline in
the restored image with that in the plain one, and of each with the truth; the edge shift is the
mean distance between the two outlines in pixels, both ways; the shift is that of the whole image by
phase correlation. Images on which no lungs are found are counted apart.
"""

import argparse
import json
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from contact import write_sheet
from intervals import rounded
from machine import describe_machine
from numpy.typing import NDArray
from radiographs import LabelledImage, read_pairs

from dfsynth.lung_segmentation import (
    LungSegmenter,
    NotAChestRadiograph,
    load_lung_network,
    locate_lungs,
    packaged_lung_network,
)
from dfsynth.records import Float32Map
from dfsynth.report import SheetColumn, SheetRow
from dfsynth.statistics import dice, resample_patients

_SHOWN = 12
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One pair."""

    dice_with_plain: float
    dice_with_truth: float
    plain_dice_with_truth: float
    edge_shift_px: float
    shift_px: float


def compare(
    plain: Float32Map, restored: Float32Map, truth: Mask, network: LungSegmenter
) -> Agreement | None:
    """Compares two images (y, x) of one body; None where no lungs are found in one of them."""
    before, after = find_lungs(plain, network), find_lungs(restored, network)
    if before is None or after is None:
        return None
    return Agreement(
        dice(after, before),
        dice(after, truth),
        dice(before, truth),
        edge_distance_px(before, after),
        shift_px(plain, restored),
    )


def find_lungs(image: Float32Map, network: LungSegmenter) -> Mask | None:
    """The lung fields (y, x) that the network sees."""
    content = (slice(0, image.shape[0]), slice(0, image.shape[1]))
    try:
        labels = locate_lungs(image, network(image), content).labels
    except NotAChestRadiograph:
        return None
    return np.asarray(labels == 1)


def edge_distance_px(first: Mask, second: Mask) -> float:
    """Mean distance from each outline (y, x) to the other, both ways, in pixels."""
    outlines = [_outline(first), _outline(second)]
    distances = [
        cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for outline in outlines
    ]
    there = distances[1][outlines[0]].mean()
    back = distances[0][outlines[1]].mean()
    return float(there + back) / 2


def shift_px(first: Float32Map, second: Float32Map) -> float:
    """How far the second image (y, x) lies from the first, in pixels, by phase correlation."""
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(first, second, window)
    return float(np.hypot(x, y))


def _outline(mask: Mask) -> Mask:
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.asarray(mask & ~inner)


def measure(
    plain: list[LabelledImage], restored: list[LabelledImage], network: LungSegmenter
) -> list[Agreement | None]:
    """Compares two stores pair by pair; they must be of one simulation."""
    if [p.patient_id for p in plain] != [r.patient_id for r in restored]:
        raise SystemExit("the stores hold other bodies: expected equal --n, --seed and origin")
    return [
        compare(p.pixels, r.pixels, _fields(p), network)
        for p, r in zip(plain, restored, strict=True)
    ]


def _fields(image: LabelledImage) -> Mask:
    """Lung fields as people outline them; hidden lung is not among them."""
    if image.labels is None:
        raise SystemExit(f"{image.name} has no lung mask; expected pairs of dark-field radiography")
    return np.asarray(image.labels == 1)


def summarise(found: list[Agreement], patients: list[str]) -> dict[str, object]:
    """Mean of each figure with its 95 % interval over patients, and the worst pair."""
    resamples = resample_patients(patients, seed=0)
    result: dict[str, object] = {}
    for field in fields(Agreement):
        values = np.array([getattr(one, field.name) for one in found])
        worst = values.max() if field.name.endswith("px") else values.min()
        result[field.name] = {
            **rounded(resamples.mean(values)),
            "worst": round(float(worst), 3),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plain", type=Path)
    parser.add_argument("restored", type=Path)
    parser.add_argument("--sheet", type=Path, help="folder for a contact sheet of the first pairs")
    given = parser.parse_args()
    plain, restored = read_pairs(given.plain), read_pairs(given.restored)
    network, _ = load_lung_network(packaged_lung_network())
    found = measure(plain, restored, network)
    seen = [one for one in found if one is not None]
    patients = [p.patient_id for p, one in zip(plain, found, strict=True) if one is not None]
    result: dict[str, object] = {
        **describe_machine(),
        "pairs": len(found),
        "no lungs found": len(found) - len(seen),
    }
    print(json.dumps(result | (summarise(seen, patients) if seen else {}), indent=2))
    if given.sheet:
        shown = [(p.pixels, r.pixels) for p, r in zip(plain, restored, strict=True)][:_SHOWN]
        rows = [
            SheetRow((title,), tuple(images))
            for title, images in zip(("plain", "restored"), zip(*shown, strict=True), strict=True)
        ]
        columns = [SheetColumn(f"{n + 1}", "", "gray", 0.0, 1.0) for n in range(len(shown))]
        write_sheet(given.sheet, "restored display", rows, columns)


if __name__ == "__main__":
    main()
