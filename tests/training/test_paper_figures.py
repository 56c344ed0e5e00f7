"""The figure of quality against time: every setting is labelled, and every label can be read."""

from itertools import combinations

import pytest
from matplotlib.text import Annotation, Text
from paper_figures import draw_quality
from paper_folds import Fold
from paper_report import Setting, tabulate_quality
from paper_runs import FoldResult

MEASURED = {
    Setting("flow", 1, 2): (63.9, 0.58, 0.0466, 0.0389, 99),
    Setting("flow", 2, 2): (112.8, 0.639, 0.0401, 0.0336, 89.9),
    Setting("diffusion", 2, 2): (119.0, 0.634, 0.0412, 0.0359, 154),
    Setting("cascade"): (121.3, 0.757, 0.0328, 0.0237, -2.38),
    Setting("flow", 2, 4): (242.2, 0.668, 0.0378, 0.0306, 2.84),
    Setting("flow", 4, 2): (246.2, 0.627, 0.0404, 0.0326, 64.6),
    Setting("diffusion", 5, 2): (303.9, 0.647, 0.0432, 0.0352, 74.7),
    Setting("diffusion", 10, 2): (558.8, 0.635, 0.044, 0.0352, 58.6),
    Setting("diffusion", 5, 4): (589.2, 0.686, 0.0396, 0.0311, 0.599),
    Setting("diffusion", 10, 4): (1134.4, 0.677, 0.0399, 0.0305, -0.32),
    Setting("diffusion", 20, 4): (2272.0, 0.676, 0.0401, 0.0301, -0.796),
}
"""ms an image, SSIM, MAE, CRPS and NLL, as docs/comparison.md has them."""


def of_figures(setting: Setting, milliseconds: float, *figures: float) -> FoldResult:
    row = dict(zip(("ssim", "mae", "crps", "nll"), figures, strict=True))
    rows = [{**row, "patient_id": p, "stage": 1, "region": "whole"} for p in ("a", "b")]
    return FoldResult(setting.method, Fold(0, 3), 400, 1e-3, rows, 1.0, milliseconds / 1000)


@pytest.fixture(scope="module")
def tests() -> dict[Setting, FoldResult]:
    return {setting: of_figures(setting, *found) for setting, found in MEASURED.items()}


def test_labels_of_quality_overlap_no_label_and_no_point(tests):
    figure = draw_quality(tests, "title")
    figure.draw_without_rendering()
    for axes in figure.axes:
        notes = [child for child in axes.get_children() if isinstance(child, Annotation)]
        assert sorted(note.get_text() for note in notes) == sorted(s.label for s in MEASURED)
        boxes = [Text.get_window_extent(note) for note in notes]
        for one, other in combinations(boxes, 2):
            assert not one.overlaps(other)
        for box in boxes:
            assert axes.bbox.count_contains(box.corners()) == 4
            points = axes.transData.transform([note.xy for note in notes])
            assert not any(box.contains(*point) for point in points)


def test_quality_names_passes_and_samples_and_marks_what_nothing_faster_equals(tests):
    lines = "\n".join(tabulate_quality(tests)).splitlines()
    assert lines[2].startswith("| flow, 1 pass, 2 samples | 63.9 | **0.58")
    assert lines[4].startswith("| diffusion, 2 passes, 2 samples | 119.0 | 0.634")
    assert lines[5].startswith("| cascade | 121.3 | **0.757")
