"""The input taken for the answer, where it is a worse image of what is wanted.

A method that does not come nearer to the target than what it was given has learned nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from paper_report import tabulate_differences
from paper_runs import FoldResult, Study
from paper_scores import MAE, PSNR, SSIM, mean, scores

from dfsynth.description.markdown import table
from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map

_NAME: Final = "the input itself"
_MEASURES: Final = (SSIM, PSNR, MAE)


def tabulate_inputs(study: Study, ours: Sequence[FoldResult], against: str) -> list[str]:
    """The inputs of the images that `ours` was tested on, beside it; nothing for other tasks."""
    if study.task.output.quantity != "input" or not ours:
        return []
    tests = [measure_inputs(study, test) for test in ours]
    cells = [format(mean(scores(tests, measure)), ".3g") for measure in _MEASURES]
    lines = [table(("", *(m.title for m in _MEASURES)), [(_NAME, *cells)]), ""]
    return [*lines, *tabulate_differences({_NAME: tests}, ours, against, _MEASURES), ""]


def measure_inputs(study: Study, test: FoldResult) -> FoldResult:
    """The inputs of the images of `test`, measured against their targets as methods are."""
    indices = {row.key: index for index, row in enumerate(study.measured.rows)}
    low, high = study.window
    rows: list[Mapping[str, Any]] = []
    for key, patient in {row["key"]: row["patient_id"] for row in test.rows}.items():
        pair = study.measured.read(indices[key])
        given, wanted = pair.image[pair.content], pair.target[pair.content]
        similarity = similarity_map(given, wanted, high - low)
        everywhere = np.ones(given.shape, np.bool_)
        figures = measure_fidelity(given, wanted, similarity, everywhere, high - low)
        rows.append({"key": key, "patient_id": patient, "stage": 1, "region": "whole", **figures})
    return replace(test, method=_NAME, rows=rows)
