"""Real radiographs with drawn masks, for networks that are trained on synthetic ones.

They are dealt to those that train and those that test, and what networks come to is tabulated.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from drawn_lungs import read_recipe
from listed_radiographs import Listed, is_free_to_use, share_of
from paper_scores import Scores, difference, mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from simulate_usefulness import WITH_HEART

from dfsynth.description.markdown import table
from dfsynth.statistics import Interval

REAL: Final = "real"
"""What is trained on real radiographs."""
_RECIPE: Final = "lung-reader"
"""Whose list of free licences and whose test patients count."""
_FIELDS: Final = "lung fields"
"""All tested radiographs whose masks leave the heart out."""


def deal_listed(listed: Sequence[Listed]) -> tuple[list[Listed], list[Listed]]:
    """Radiographs with drawn masks: those to train on, and all others, which are tested.

    What is not free is tested alone; masks that go on behind the heart are not trained on.
    """
    recipe = read_recipe(_RECIPE)
    trained: list[Listed] = []
    tested: list[Listed] = []
    for entry in listed:
        if entry.mask is None:
            continue
        may = is_free_to_use(entry.license, recipe) and archive_of(entry) not in WITH_HEART
        learns = may and share_of(entry.patient_id, recipe) == "train"
        (trained if learns else tested).append(entry)
    return trained, tested


def archive_of(entry: Listed) -> str:
    """The archive of a radiograph in a word, by its file's name."""
    return entry.path.stem.partition("_")[0]


def tabulate(
    results: Mapping[str, Sequence[Mapping[str, Any]]], against: Sequence[str], measure: str
) -> str:
    """A measure by archive, and differences in points of 0.01, paired by patient.

    Intervals are over patients, and of these networks: another training comes to something else.
    How much else is in the column `each training`.

    Args:
        results: what was trained on → a row for each radiograph and training, with `patient_id`,
            `source` (its archive), `training` (its number) and the measure. What has no rows is
            left out.
        against: the results that the others are compared with.
        measure: column of the rows.
    """
    archives = sorted({row["source"] for rows in results.values() for row in rows})
    groups = [_FIELDS, *archives]
    found = {
        kind: {group: _by_patient(rows, group, measure) for group in groups}
        for kind, rows in results.items()
    }
    found = {kind: scores for kind, scores in found.items() if scores[_FIELDS]}
    lines = []
    for kind, scores in found.items():
        cells = [f"{mean(scores[g]):.3f}" if scores[g] else "–" for g in groups]
        gaps = ["" if o == kind else _points(scores[_FIELDS], found, o) for o in against]
        lines.append((kind, *cells, *gaps, _each_training(results[kind], measure)))
    titles = (*groups, *(f"less {o}, points" for o in against), "each training")
    return table(("trained on", *titles), lines)


def _each_training(rows: Sequence[Mapping[str, Any]], measure: str) -> str:
    """The mean over patients of each training, in the fields of all archives."""
    found = []
    for training in sorted({row["training"] for row in rows}):
        own = [row for row in rows if row["training"] == training]
        found.append(f"{mean(_by_patient(own, _FIELDS, measure)).value:.3f}")
    return ", ".join(found)


def _by_patient(rows: Sequence[Mapping[str, Any]], group: str, measure: str) -> Scores:
    """Patient → mean over radiographs and trainings."""
    found: dict[str, list[float]] = {}
    for row in rows:
        source = row["source"]
        if source == group or (group == _FIELDS and source not in WITH_HEART):
            found.setdefault(row["patient_id"], []).append(row[measure])
    return {patient: float(np.mean(values)) for patient, values in found.items()}


def _points(ours: Scores, found: Mapping[str, Mapping[str, Scores]], other: str) -> str:
    less = difference(ours, found[other][_FIELDS]) if other in found else None
    if less is None:
        return ""
    ends = (less.interval.value, less.interval.low, less.interval.high)
    return f"{Interval(*(None if e is None else 100 * e for e in ends)):+.1f}"
