"""Tables of restored images in Markdown: networks by degrader, nodules by size, steps by time."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from paper_scores import Difference, Scores, difference, differences, mean
from restoration_measures import DISTANCE, Measured, Row, values_of

from dfsynth.description.markdown import table
from dfsynth.evaluate.restoration import SIZES, size_of
from dfsynth.statistics import Interval, resample_patients

COLUMNS: Final[Mapping[str, str]] = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "mae": "MAE",
    DISTANCE: "log-spectral distance (dB)",
    "coverage_90": "90 % interval holds",
    "spearman_pixels": "sigma and error, Spearman",
}
_COMPARED: Final = ("psnr", "ssim", "mae", DISTANCE)
_DIGITS: Final[Mapping[str, str]] = {"psnr": ".2f", DISTANCE: ".1f"}
_SEED: Final = 0
Found = Mapping[str, Measured]
"""Row of a table → its figures."""


def tabulate_restoration(found: Found, baseline: str) -> list[str]:
    """Three tables: figures over all images, their differences from a row, and nodules by size."""
    head = ("", *COLUMNS.values(), "ms an image", "training (s of a core)")
    lines = [table(head, [_figures(name, each) for name, each in found.items()])]
    if baseline in found:
        lines += ["", tabulate_differences(found, baseline)]
    nodules = next(iter(found.values())).nodules
    return [*lines, "", tabulate_nodules(found)] if nodules else lines


def tabulate_differences(found: Found, baseline: str) -> str:
    """Each row less the baseline over the same patients; p is Holm's over the rows of a column."""
    columns = []
    for figure in _COMPARED:
        ours = by_patient(found[baseline].images, figure)
        others = {
            name: by_patient(each.images, figure)
            for name, each in found.items()
            if name != baseline
        }
        columns.append(differences(others, ours))
    rows = [
        (name, *(_difference(c.get(name), f) for c, f in zip(columns, _COMPARED, strict=True)))
        for name in found
        if name != baseline
    ]
    return table((f"less {baseline}", *(COLUMNS[figure] for figure in _COMPARED)), rows)


def tabulate_nodules(found: Found) -> str:
    """Contrast-to-noise, and the share of the truth's contrast, of nodules of each size."""
    kept = next(iter(found.values())).nodules
    sizes = [size for size in SIZES if of_size(kept, size)]
    head = [f"{size} ({len(of_size(kept, size))})" for size in sizes]
    rows = []
    for name, each in found.items():
        cells = []
        for size in sizes:
            nodules = of_size(each.nodules, size)
            cells.append(f"{contrast_to_noise(nodules):.2f}; {recovery(nodules):.2f}")
        rows.append((name, *cells))
    return table(("CNR; share of the truth's contrast", *head), rows)


def tabulate_settings(found: Mapping[str, Found]) -> str:
    """Ways to draw samples of each network, the first of which the others are compared with."""
    head = ("", *(COLUMNS[f] for f in ("psnr", "ssim", DISTANCE)), "PSNR, less the first")
    rows = []
    for network, settings in found.items():
        first = next(iter(settings.values()))
        ours = by_patient(first.images, "psnr")
        for name, each in settings.items():
            cells = [_mean(each, figure) for figure in ("psnr", "ssim", DISTANCE)]
            less = difference(by_patient(each.images, "psnr"), ours)
            cells.append(
                ""
                if each is first
                else _difference(None if less is None else (less, less.p), "psnr")
            )
            speed = first.image_seconds / each.image_seconds
            rows.append(
                (f"{network}: {name}", *cells, f"{1 / each.image_seconds:.2f}", f"{speed:.1f}")
            )
    return table((*head, "images/s", "times as fast"), rows)


def by_patient(rows: Sequence[Row], figure: str) -> Scores:
    """Patient → mean over their images."""
    found: dict[str, list[float]] = {}
    for patient, value in values_of(rows, figure):
        found.setdefault(patient, []).append(value)
    return {patient: float(np.mean(values)) for patient, values in found.items()}


def of_size(nodules: Sequence[Row], size: str) -> list[Row]:
    """Those of one class."""
    return [n for n in nodules if size_of(n["diameter_mm"] or float("nan")) == size]


def contrast_to_noise(nodules: Sequence[Row]) -> Interval:
    """Mean over nodules."""
    known = list(values_of(nodules, "cnr"))
    patients, values = [p for p, _ in known], np.array([v for _, v in known])
    return resample_patients(patients, _SEED).mean(values) if known else Interval(None, None, None)


def recovery(nodules: Sequence[Row]) -> Interval:
    """Slope of contrast over that of the truth, through 0."""
    truth = np.array([n["truth"] for n in nodules])
    products = np.stack([np.array([n["contrast"] for n in nodules]) * truth, truth**2], axis=1)
    resamples = resample_patients([n["patient_id"] for n in nodules], _SEED)
    return resamples.ratio(products, lambda s: s[:, 0] / s[:, 1])


def _figures(name: str, found: Measured) -> tuple[str, ...]:
    cost = (f"{1000 * found.image_seconds:.1f}", f"{found.train_seconds:.0f}")
    return name, *(_mean(found, figure) for figure in COLUMNS), *cost


def _mean(found: Measured, figure: str) -> str:
    scores = by_patient(found.images, figure)
    return format(mean(scores), _DIGITS.get(figure, ".3f")) if scores else "–"


def _difference(found: tuple[Difference, float] | None, figure: str) -> str:
    if found is None:
        return "–"
    each, p = found
    return f"{each.interval:{'+' + _DIGITS.get(figure, '.3f')}}, p {p:.2g}"
