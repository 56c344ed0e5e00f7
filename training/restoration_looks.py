"""Restored images in one look: what is left between methods when all greys are alike.

A DRR that no machine has processed differs from a radiograph in its greys first of all. Two
landmarks mend those without any network, so that a gain is one only if it is there behind them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from paper_scores import difference, mean
from restoration_measures import Row
from restoration_report import by_patient

from dfsynth.datasets import PairImages
from dfsynth.description.markdown import table
from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map
from dfsynth.records import Float32Map
from dfsynth.simulation.restoration.plain_look import standardise_look

_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "psnr": ("PSNR (dB)", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "mae": ("MAE", ".3f"),
}
Means = Mapping[str, NDArray[np.float32]]
"""Row of a table → restored images (n, H, W)."""


def tabulate_in_one_look(
    means: Means, truths: Sequence[PairImages], patients: Sequence[str], baseline: str
) -> str:
    """Figures of images whose landmarks were taken to those of pairs with plain partners.

    Args:
        means: of each method, of the tested images.
        truths: their pairs, in the same order.
        patients: theirs.
        baseline: the row that others are compared with, where it is there.
    """
    rows = {name: _measure(images, truths, patients) for name, images in means.items()}
    lines = []
    for name, found in rows.items():
        cells = [name]
        for figure, (_, digits) in _COLUMNS.items():
            cells.append(format(mean(by_patient(found, figure)), digits))
        for figure in ("psnr", "ssim"):
            ours = by_patient(rows.get(baseline, []), figure)
            less = None if name == baseline else difference(by_patient(found, figure), ours)
            cells.append("" if less is None else f"{less.interval:+{_COLUMNS[figure][1]}}")
        lines.append(tuple(cells))
    titles = [title for title, _ in _COLUMNS.values()]
    head = ("in one look", *titles, f"PSNR, less {baseline}", f"SSIM, less {baseline}")
    return table(head, lines)


def _measure(
    images: NDArray[np.float32], truths: Sequence[PairImages], patients: Sequence[str]
) -> list[Row]:
    rows: list[Row] = []
    for image, pair, patient in zip(images, truths, patients, strict=True):
        truth: Float32Map = pair.target[pair.content]
        whole = (slice(0, image.shape[0]), slice(0, image.shape[1]))
        bent = standardise_look(np.clip(image, 0, 1), whole)
        seen = np.ones(truth.shape, np.bool_)
        found = measure_fidelity(bent, truth, similarity_map(bent, truth, 1.0), seen, 1.0)
        rows.append({"patient_id": patient, **{name: found[name] for name in _COLUMNS}})
    return rows
